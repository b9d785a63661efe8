//! What is asked of AWS and Google Cloud with single requests, for which an SDK would be too much:
//! secrets, and the requests of other adapters, signed.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "gcp")]
mod gcp;
mod https;

#[cfg(feature = "aws")]
pub use aws::{AwsApi, AwsSecrets, Call};
#[cfg(feature = "gcp")]
pub use gcp::{GcpOptions, GcpSecrets};
pub use https::{Answer, HttpFault};
