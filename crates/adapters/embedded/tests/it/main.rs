//! The adapters in memory pass the suites of their ports.

mod blobs;
mod cache;
mod decorated;
mod limiter;
mod queue;
mod store;
