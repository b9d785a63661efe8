//! One suite per port, which every adapter passes.
//!
//! A suite is a list of functions, one per guarantee; a macro makes a `#[test]` of each, so that a
//! failure names the guarantee. An adapter's test binary says how to open a fresh one of its own
//! and calls the macro:
//!
//! ```text
//! async fn open(clock: Arc<dyn Clock>) -> store::Opened { … }
//! outrigger_conformance::store_suite!(open, model = |clock| Arc::new(MemoryStore::new(clock)));
//! ```

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a suite says that a guarantee is broken by panicking"
)]

pub mod blobs;
pub mod cache;
pub mod limiter;
pub mod queue;
mod runtime;
pub mod secrets;
pub mod store;

pub use runtime::run;
