//! The suite of the port.

use std::sync::Arc;

use outrigger_kernel::{SystemClock, SystemRandom};
use outrigger_objects::ObjectBlobs;
use outrigger_ports::blobs::Blobs;
use outrigger_testkit::{Aws, CloudStorage};

pub(crate) fn open_at(url: &str) -> Arc<dyn Blobs> {
    Arc::new(ObjectBlobs::open(url, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap())
}

/// As the service account that the Cloud Storage of the tests knows.
pub(crate) fn as_account(url: &str) -> Arc<dyn Blobs> {
    let key = &CloudStorage::shared().unwrap().key_file;
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Arc::new(ObjectBlobs::open_as(key, url, clock, random).unwrap())
}

mod s3 {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, ()) {
        (open_at(&Aws::shared().unwrap().fresh_blob_url().unwrap()), ())
    }

    outrigger_conformance::blobs_suite!(open);
}

/// On an emulator of S3, behind a server that looks at tokens, signatures and preconditions as Google's
/// documentation says.
mod gcs {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, ()) {
        (as_account(&CloudStorage::shared().unwrap().fresh_blob_url().unwrap()), ())
    }

    outrigger_conformance::blobs_suite!(open);
}
