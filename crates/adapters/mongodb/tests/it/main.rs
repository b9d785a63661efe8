//! The store on an emulator of MongoDB: the suite of the port, and faults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mongodb_emulator;
mod support;
