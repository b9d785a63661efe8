//! The store on a real replica set of MongoDB, whose URL stands in `OUTRIGGER_TEST_MONGODB_URL`: the
//! suite of the port, and failovers of the primary under load. Each test has a database of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod on_replica_set;
#[path = "../it/support.rs"]
#[expect(dead_code, reason = "the tests on the emulator use more of it")]
mod support;
