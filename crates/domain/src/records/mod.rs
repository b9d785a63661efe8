//! Collections that users define, and the records in them.
//!
//! A collection has a JSON Schema, declared indexes, and rules that say who may do what. A record
//! is a document in the collection `rec.NAME` of the store: who made it and when, and its data.
//!
//! - `model`, `definition`, `definitions`: what a collection is, how it is checked and compiled,
//!   and the snapshots of it that requests use.
//! - `field`, `index`: which values of a record can be found.
//! - `filter`, `plan`, `list`: how a list is asked for, and which index answers it.
//! - `envelope`, `etag`: a record as bytes, in the store, in the cache and on the wire.
//! - `triggers`: tasks that follow from changes.
//! - `transfer`, `jobs`: all records into a file, and those of a file into a collection.
//! - one file for each operation; `upkeep` re-indexes and empties collections in the background.

mod audited;
mod batch;
mod collections;
mod create;
mod definition;
mod definitions;
mod delete;
mod envelope;
mod etag;
mod field;
mod filter;
mod index;
pub mod jobs;
mod list;
mod merge;
mod model;
mod patch;
mod plan;
mod read;
mod replace;
mod rules;
mod save;
mod service;
mod transfer;
mod triggers;
mod typed;
mod upkeep;

pub use crate::rule::Rule;
pub use batch::{BatchInput, BatchOperation, BatchResult};
pub use definitions::{Definitions, Shared};
pub use etag::{ETag, Preconditions};
pub use filter::{ListRequest, parse_limit};
pub use list::RecordPage;
pub use model::{CollectionInput, CollectionView, IndexingView, Rules};
pub use read::{Ahead, Fetched, Source};
pub use save::Saved;
pub use service::{Records, Settings};
pub use triggers::{Change, Trigger};

#[cfg(test)]
mod tests;
