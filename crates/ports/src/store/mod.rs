//! The store port: a small document store, chosen so that very different databases can give the
//! *same* guarantees.
//!
//! - A read after a commit sees it. Index and unique entries change with their document.
//! - A [`Batch`] is all or nothing; its preconditions hold at the instant of the commit, also
//!   those of documents that it only [checks](Write::Check).
//! - When [`Store::commit`] returns `Ok`, the batch is on disk. When it returns
//!   [`StoreError::OutcomeUnknown`], it may or may not be; every other error means that nothing
//!   was changed.
//! - An expired document is never returned and counts as absent, whether or not it is deleted yet.
//! - Bounds are those of [`outrigger_kernel::limits`]; an adapter refuses what is over them, with
//!   [`StoreError::Bound`] (of write 0, where there is no batch).
//! - A refused batch names its first fault: bounds are looked at first, then the preconditions in
//!   the order of the writes, then the unique entries in the order of the writes and of the entries.
//!   A value is taken when a document that the batch does not rewrite has it, or an earlier write.

pub mod bounds;
mod error;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::{Timestamp, limits};
use serde::{Deserialize, Serialize};
use std::ops::Bound;

use crate::probe::Probed;

pub use self::error::{Cause, StoreError, in_one_line};

/// The name of a document. Ordered by collection, then id, both bytewise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `sys.NAME` for Outrigger's own documents, `rec.NAME` for a user's records.
    pub collection: String,
    /// The id in the collection, `[A-Za-z0-9_.:-]`, 1 to 64 bytes.
    pub id: String,
}

impl Key {
    /// The key of the document `id` in `collection`.
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        Self { collection: collection.into(), id: id.into() }
    }
}

/// A document as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub key: Key,
    /// 1 when created, one more with every put.
    pub version: u64,
    /// JSON text, up to [`limits::DOCUMENT_BYTES_MAX`] bytes, kept byte for byte.
    pub body: Bytes,
    /// From this instant on the document is gone.
    pub expires_at: Option<Timestamp>,
}

/// A document with its entries, as a scan gives it: all that another store needs to have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The document.
    pub document: Document,
    /// Its entries, in the order of the names of their indexes.
    pub entries: Vec<Entry>,
}

impl Scanned {
    /// The document with these entries, in whatever order.
    pub fn new(document: Document, mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|one, other| one.index.cmp(&other.index));
        Self { document, entries }
    }
}

/// A value by which a document can be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The index's name, unique within the collection, up to 200 bytes.
    pub index: String,
    /// The encoded value, see [`crate::index_value`]; byte order is value order.
    pub value: Vec<u8>,
    /// No other live document of the collection may have the same value in this index.
    pub unique: bool,
}

/// The greatest version that a document can be restored with.
pub const VERSION_MAX: u64 = 1 << 53;

/// What must hold of the document for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Any,
    /// There is none.
    Absent,
    /// There is one.
    Exists,
    /// There is one with this version.
    Version(u64),
}

impl Precondition {
    /// Whether it holds where a live document of this version was found, or none.
    pub fn holds(self, found: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => found.is_none(),
            Self::Exists => found.is_some(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// One part of a batch. A batch names each key at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Creates or replaces the document with all its entries.
    Put {
        /// Which document.
        key: Key,
        /// The new body.
        body: Bytes,
        /// All entries of the document from now on; an index name occurs at most once.
        entries: Vec<Entry>,
        /// When the document is gone.
        expires_at: Option<Timestamp>,
        /// What must hold.
        precondition: Precondition,
    },
    /// Creates or replaces the document as it is in another store, with the version that it has
    /// there (1 to [`VERSION_MAX`]).
    Restore {
        /// The document.
        document: Document,
        /// All its entries; an index name occurs at most once.
        entries: Vec<Entry>,
        /// What must hold.
        precondition: Precondition,
    },
    /// Replaces the entries of the document and leaves body, version and expiry as they are.
    Reindex {
        /// Which document.
        key: Key,
        /// All entries of the document from now on.
        entries: Vec<Entry>,
        /// What must hold; with no document there, nothing is done.
        precondition: Precondition,
    },
    /// Deletes the document and its entries; deleting what is not there is no error unless the
    /// precondition says so.
    Delete {
        /// Which document.
        key: Key,
        /// What must hold.
        precondition: Precondition,
    },
    /// Changes nothing, but the batch happens only when this holds.
    Check {
        /// Which document.
        key: Key,
        /// What must hold.
        precondition: Precondition,
    },
}

impl Write {
    /// The document it is about.
    pub fn key(&self) -> &Key {
        match self {
            Self::Restore { document, .. } => &document.key,
            Self::Put { key, .. }
            | Self::Reindex { key, .. }
            | Self::Delete { key, .. }
            | Self::Check { key, .. } => key,
        }
    }

    /// What must hold of the document.
    pub fn precondition(&self) -> Precondition {
        match self {
            Self::Put { precondition, .. }
            | Self::Restore { precondition, .. }
            | Self::Reindex { precondition, .. }
            | Self::Delete { precondition, .. }
            | Self::Check { precondition, .. } => *precondition,
        }
    }

    /// The body that it puts.
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Put { body, .. } => Some(body),
            Self::Restore { document, .. } => Some(&document.body),
            _ => None,
        }
    }

    /// How many bytes of body it puts.
    pub fn body_bytes(&self) -> usize {
        self.body().map_or(0, <[u8]>::len)
    }

    /// The version that the document has afterwards, if it was at `before` (0: it was not there).
    pub fn version_after(&self, before: u64) -> u64 {
        match self {
            Self::Put { .. } => before + 1,
            Self::Restore { document, .. } => document.version,
            Self::Delete { .. } => 0,
            Self::Reindex { .. } | Self::Check { .. } => before,
        }
    }

    /// The entries that the document has afterwards.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Put { entries, .. }
            | Self::Restore { entries, .. }
            | Self::Reindex { entries, .. } => entries,
            Self::Delete { .. } | Self::Check { .. } => &[],
        }
    }
}

/// Writes that happen together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// At most [`limits::BATCH_MAX`], each key at most once, with bodies of at most
    /// [`limits::BATCH_BYTES_MAX`] together.
    pub writes: Vec<Write>,
}

impl Batch {
    /// A batch of these writes.
    pub fn of(writes: impl IntoIterator<Item = Write>) -> Self {
        Self { writes: writes.into_iter().collect() }
    }

    /// The same batch, in which a document that has expired already when it is put has no entries:
    /// nobody can find it, and it keeps no unique value from others. Every adapter does this before
    /// it commits.
    #[must_use]
    pub fn without_dead_entries(mut self, now: Timestamp) -> Self {
        for write in &mut self.writes {
            let (entries, expires_at) = match write {
                Write::Put { entries, expires_at, .. } => (entries, *expires_at),
                Write::Restore { document, entries, .. } => (entries, document.expires_at),
                _ => continue,
            };
            if expires_at.is_some_and(|at| at <= now) {
                entries.clear();
            }
        }
        self
    }

    /// Refuses what is over a portable bound; every adapter calls this first.
    ///
    /// # Errors
    /// [`StoreError::Bound`] names the write and the bound.
    pub fn validate(&self) -> Result<(), StoreError> {
        let bound = |write: usize, what: String| Err(StoreError::Bound { write, what });
        if self.writes.len() > limits::BATCH_MAX {
            return bound(limits::BATCH_MAX, format!("more than {} writes", limits::BATCH_MAX));
        }
        let mut bytes = 0;
        for (position, write) in self.writes.iter().enumerate() {
            if self.writes[..position].iter().any(|earlier| earlier.key() == write.key()) {
                return bound(position, "the same document twice".to_owned());
            }
            if let Write::Restore { document, .. } = write
                && !(1..=VERSION_MAX).contains(&document.version)
            {
                return bound(position, format!("version not 1 to {VERSION_MAX}"));
            }
            if write.body_bytes() > limits::DOCUMENT_BYTES_MAX {
                return bound(position, format!("body over {} bytes", limits::DOCUMENT_BYTES_MAX));
            }
            bytes += write.body_bytes();
            if bytes > limits::BATCH_BYTES_MAX {
                let what = format!("bodies over {} bytes together", limits::BATCH_BYTES_MAX);
                return bound(position, what);
            }
            let id = &write.key().id;
            if id.is_empty() || id.len() > limits::ID_BYTES_MAX {
                return bound(position, format!("id not 1 to {} bytes", limits::ID_BYTES_MAX));
            }
            validate_entries(position, write.entries())?;
        }
        Ok(())
    }
}

/// Cuts a list into pieces that fit into a batch each: of at most `most` parts, with bodies of at
/// most [`limits::BATCH_BYTES_MAX`] together.
pub fn pieces<T>(
    parts: impl IntoIterator<Item = T>,
    most: usize,
    body_bytes: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    let mut pieces: Vec<Vec<T>> = Vec::new();
    let mut sum = 0;
    for part in parts {
        let bytes = body_bytes(&part);
        sum += bytes;
        match pieces.last_mut() {
            Some(last) if last.len() < most && sum <= limits::BATCH_BYTES_MAX => last.push(part),
            _ => {
                pieces.push(vec![part]);
                sum = bytes;
            }
        }
    }
    pieces
}

fn validate_entries(write: usize, entries: &[Entry]) -> Result<(), StoreError> {
    let bound = |what: String| Err(StoreError::Bound { write, what });
    let uniques = entries.iter().filter(|entry| entry.unique).count();
    if uniques > limits::UNIQUES_MAX {
        return bound(format!("more than {} unique entries", limits::UNIQUES_MAX));
    }
    if entries.len() - uniques > limits::INDEXES_MAX {
        return bound(format!("more than {} index entries", limits::INDEXES_MAX));
    }
    for (position, entry) in entries.iter().enumerate() {
        if entry.value.len() > limits::INDEX_VALUE_BYTES_MAX {
            return bound(format!(
                "value of index {} over {} bytes",
                entry.index,
                limits::INDEX_VALUE_BYTES_MAX
            ));
        }
        if entries[..position].iter().any(|earlier| earlier.index == entry.index) {
            return bound(format!("two entries for index {}", entry.index));
        }
    }
    Ok(())
}

/// Which order a query follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// By id, over all documents of the collection.
    Id,
    /// By the value of a plain index, then id; only documents with an entry in it.
    Index(&'a str),
    /// By the value of a unique index; only documents with an entry in it.
    Unique(&'a str),
}

/// A place in an order: the value there (empty for [`Order::Id`]) and the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The encoded index value.
    pub value: Vec<u8>,
    /// The document's id.
    pub id: String,
}

/// A page of the documents of one collection in one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Which collection.
    pub collection: &'a str,
    /// In which order.
    pub order: Order<'a>,
    /// The range of encoded values; for [`Order::Id`] the bytes are those of ids.
    pub range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    /// From the greatest to the least.
    pub descending: bool,
    /// Only what comes after this place in the asked direction, compared by value, then id.
    pub after: Option<Position>,
    /// Most documents to return, `1..=QUERY_LIMIT_MAX`.
    pub limit: usize,
    /// The reader accepts an answer from a replica that lags behind.
    pub may_lag: bool,
}

/// One found document and its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands; `after` this the query goes on.
    pub position: Position,
    /// The document.
    pub document: Document,
}

/// Whether a migration would change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// Its number and name, such as `0001_documents`.
    pub name: String,
    /// Whether the store has it.
    pub applied: bool,
}

/// How [`Store::migrate`] goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrateMode {
    /// Says what would be done and changes nothing.
    Plan,
    /// Does it, under a lock; waits this long for another who is at it.
    Apply {
        /// How long to wait for the lock.
        wait: std::time::Duration,
    },
}

/// A document store. See the module for what it promises.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The live document with this key.
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError>;

    /// The live documents with these keys (at most [`limits::GET_MANY_MAX`]), in their order.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError>;

    /// Live documents in an order; fewer than `limit` only when there are no more.
    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError>;

    /// Commits the batch. Returns the version of each written document afterwards, in the order of
    /// the writes: the new one of a put or restore, the unchanged one of a reindex or check, 0 where
    /// there is no document.
    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError>;

    /// Live documents of all collections in key order, each with the entries that belong to what it
    /// is, for export; each document that lives
    /// throughout the scan is seen once, others at most once. Fewer than `limit` only at the end.
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError>;

    /// Says or does what this binary's schema needs, and lists all migrations in order.
    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError>;

    /// Deletes up to `limit` expired documents; returns how many.
    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError>;

    /// Asks the database something real.
    async fn probe(&self) -> Result<Probed, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_by_number_and_by_bytes() {
        let sizes = |parts: &[usize], most| pieces(parts.to_vec(), most, |bytes| *bytes);
        assert_eq!(sizes(&[1, 2, 3, 4, 5], 2), [vec![1, 2], vec![3, 4], vec![5]]);
        let half = limits::BATCH_BYTES_MAX / 2;
        assert_eq!(sizes(&[half, half, 1, half], 9), [vec![half, half], vec![1, half]]);
        assert_eq!(sizes(&[], 3), Vec::<Vec<usize>>::new());
    }
}
