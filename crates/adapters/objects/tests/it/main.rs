//! Blobs on an emulator of S3, by the protocols of both clouds: the suite of the port, and faults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod interrupted;
mod refusing;
mod rights;
mod signed;
mod suite;
