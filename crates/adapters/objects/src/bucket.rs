//! One bucket of one cloud, as the rest of the crate uses it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use object_store::signer::Signer;
use object_store::{ObjectStore, RetryConfig};
use outrigger_kernel::Clock;

use crate::begun::Begun;
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
    /// Finds and takes back uploads in parts.
    pub(crate) begun: Begun,
    /// Signs requests of others; without keys of its own nothing can be signed.
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// The headers with which only an object that is not there yet is written, and only one of this size.
    pub(crate) only_new: fn(u64) -> Vec<(HeaderName, String)>,
    /// Its product.
    pub(crate) product: &'static str,
    /// What it calls each right that is needed.
    pub(crate) rights: Rights,
}

/// The names of rights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights {
    pub(crate) write: &'static str,
    pub(crate) read: &'static str,
    /// To hear that there is nothing.
    pub(crate) list: &'static str,
    pub(crate) delete: &'static str,
    /// To begin an upload in parts.
    pub(crate) begin: &'static str,
    /// To find those that were begun.
    pub(crate) list_begun: &'static str,
    /// To take one back.
    pub(crate) abort: &'static str,
}

impl Bucket {
    /// The bucket that a URL names, with the key of a service account or what the environment has; no
    /// connection is made.
    ///
    /// # Errors
    /// Says what the environment lacks, or that this binary has not got what it needs.
    pub(crate) fn open(
        target: &Target,
        key: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        #[cfg(not(feature = "s3"))]
        drop(clock);
        match target.service {
            #[cfg(feature = "s3")]
            Service::S3 if key.is_some() => Err("S3 knows no such key".to_owned()),
            #[cfg(feature = "s3")]
            Service::S3 => crate::s3::open(target, Connector::new()?, clock),
            #[cfg(feature = "gcs")]
            Service::Gcs => crate::gcs::open(target, Connector::new()?, key),
            #[cfg(not(all(feature = "s3", feature = "gcs")))]
            _ => Err("it is built without this object storage".to_owned()),
        }
    }
}

/// How often and how long something is tried again.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig { max_retries: RETRIES_MAX, retry_timeout: PATIENCE, ..RetryConfig::default() }
}
