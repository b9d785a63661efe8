//! The suite of the port.

use std::sync::Arc;

use outrigger_kernel::{SystemClock, SystemRandom};
use outrigger_objects::ObjectBlobs;
use outrigger_ports::blobs::Blobs;
use outrigger_testkit::Aws;

pub(crate) fn open_at(url: &str) -> Arc<dyn Blobs> {
    Arc::new(ObjectBlobs::open(url, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap())
}

mod s3 {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, ()) {
        (open_at(&Aws::shared().unwrap().fresh_blob_url().unwrap()), ())
    }

    outrigger_conformance::blobs_suite!(open);
}

/// What is called of Google's XML protocol is also in that of S3: requests and answers have the same
/// form. Keys, generations and signed requests are not shown here.
mod gcs_protocol {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, ()) {
        let aws = Aws::shared().unwrap();
        let bucket = aws.fresh_bucket().unwrap();
        (open_at(&format!("gs://{bucket}/files?endpoint={}", aws.url())), ())
    }

    outrigger_conformance::blobs_suite!(open);
}
