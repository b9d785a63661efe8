//! The store on an emulator of MongoDB: the suite of the port, and faults; and on a real replica set.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mongodb_emulator;
#[cfg(feature = "replica-set")]
mod on_replica_set;
mod support;
