//! Blobs in a bucket: S3 of AWS and what speaks its protocol, and Google Cloud Storage.
//!
//! It gives what [`outrigger_ports::blobs`] promises. A blob of more than a part is a multipart
//! upload, which is seen when it is completed. Neither SDK nor HTTP client appear in what is public here.

mod begun;
mod blobs;
mod bucket;
mod connector;
mod error;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "s3")]
mod presign;
mod probe;
mod reader;
#[cfg(feature = "s3")]
mod s3;
mod target;
mod writer;

pub use blobs::ObjectBlobs;
