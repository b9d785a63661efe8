//! Adapters that need no outside service: memory store, cache and limiter, the queue on any store,
//! blobs in a folder.
//!
//! The store is the model that the tests compare every real store with; nothing in it survives the
//! process. The recorder is the outside world of tests. Cache and limiter are what a server runs on that was started without Redis.

mod blobs;
mod cache;
mod limiter;
mod queue;
mod recorder;
mod store;

pub use blobs::{FolderBlobs, MemoryBlobs};
pub use cache::MemoryCache;
pub use limiter::MemoryLimiter;
pub use queue::{StoreQueue, Wakeups};
pub use recorder::Recorder;
pub use store::MemoryStore;
