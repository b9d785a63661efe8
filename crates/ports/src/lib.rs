//! What the domain needs from the outside world, one port per file.
//!
//! An adapter implements a port; `outrigger-conformance` holds the suite that every adapter of a
//! port passes. The words here are the contract: an adapter may be faster, never different.

pub mod blobs;
pub mod cache;
pub mod cached;
pub mod collection;
pub mod gather;
pub mod http_client;
pub mod index_value;
pub mod layered;
pub mod limiter;
pub mod mailer;
pub mod probe;
pub mod queue;
pub mod secrets;
pub mod store;
pub mod turns;
