//! Blobs on an emulator of S3, and on the same behind a server that stands for Google's: the suite of the
//! port, and faults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod google;
mod interrupted;
mod refusing;
mod rights;
mod signed;
mod suite;
