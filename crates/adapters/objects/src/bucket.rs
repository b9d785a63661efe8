//! One bucket of one cloud, as the rest of the crate uses it.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use object_store::signer::Signer;
use object_store::{ObjectStore, RetryConfig};
use outrigger_kernel::Clock;

use crate::connector::Connector;
use crate::target::{Service, Target};

/// How long a request is tried again and again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried again.
const RETRIES_MAX: usize = 4;

/// What calls one cloud's protocol.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// Reads and writes objects.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// Signs requests of others; without keys of its own nothing can be signed.
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// The headers with which only an object that is not there yet is written, and only one of this size.
    pub(crate) only_new: fn(u64) -> Vec<(HeaderName, String)>,
    /// Its product.
    pub(crate) product: &'static str,
    /// The right to write, to read, to hear that there is nothing, and to delete.
    pub(crate) rights: [&'static str; 4],
}

impl Bucket {
    /// The bucket that a URL names; no connection is made.
    ///
    /// # Errors
    /// Says what the environment lacks, or that this binary has not got what it needs.
    pub(crate) fn open(target: &Target, clock: Arc<dyn Clock>) -> Result<Self, String> {
        #[cfg(not(feature = "s3"))]
        drop(clock);
        match target.service {
            #[cfg(feature = "s3")]
            Service::S3 => crate::s3::open(target, Connector::new()?, clock),
            #[cfg(feature = "gcs")]
            Service::Gcs => crate::gcs::open(target, Connector::new()?),
            #[cfg(not(all(feature = "s3", feature = "gcs")))]
            _ => Err("it is built without this object storage".to_owned()),
        }
    }
}

/// How often and how long something is tried again.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig { max_retries: RETRIES_MAX, retry_timeout: PATIENCE, ..RetryConfig::default() }
}
