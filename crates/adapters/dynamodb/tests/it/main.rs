//! The store on an emulator of DynamoDB: the suite of the port, and faults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capacity;
mod faults;
mod interposer;
mod large;
mod migrations;
mod suite;
mod support;
