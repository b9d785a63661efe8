//! What adapters of clouds have in common, and what is asked of AWS and Google Cloud with single
//! requests, for which an SDK would be too much: secrets, and the requests of other adapters, signed.

#[cfg(feature = "aws")]
mod aws;
mod endpoint;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(any(feature = "aws", feature = "gcp"))]
mod https;
mod tls;

#[cfg(feature = "aws")]
pub use aws::{AwsApi, AwsSecrets, Call, CallFault, Refusal};
pub use endpoint::Endpoint;
#[cfg(feature = "gcp")]
pub use gcp::{GcpOptions, GcpSecrets};
pub use tls::tls;
