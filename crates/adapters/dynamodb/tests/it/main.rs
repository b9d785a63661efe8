//! The store on two emulators of DynamoDB: the suite of the port, and faults. AWS' documentation decides
//! where they differ. What ministack cannot show is asked of dynoxide alone:
//!
//! - the heaviest batch: it counts the 4 MB of a transaction in base64, not as items (`suite.rs`)
//! - what reads cost: it counts one unit for any size, and none for reads of many items (`capacity.rs`)
//! - what is there after a kill: it keeps everything in memory (`faults.rs`)
//!
//! What a process does that is told nothing, or not in time, is shown on dynoxide alone too: it answers
//! soon, however busy the machine is (`faults.rs`, `large.rs`).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod capacity;
mod emulator;
mod faults;
mod interposer;
mod large;
mod migrations;
mod suite;
mod support;
