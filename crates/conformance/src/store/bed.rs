//! What the tests of the store suite stand on.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Clock, ManualClock, Timestamp};
use outrigger_ports::index_value::{self, Range};
use outrigger_ports::store::{
    Batch, Document, Entry, Found, Key, Order, Precondition, Query, Store, StoreError, Write,
};

use super::{Opened, StoreFactory};

/// The collection that most tests use.
pub(super) const BOATS: &str = "rec.boats";

/// A fresh store and the clock that it goes by.
pub(super) struct Bed {
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<dyn Store>,
    pub(super) opened: Opened,
}

impl Bed {
    pub(super) async fn new(factory: &dyn StoreFactory) -> Self {
        let clock = Arc::new(ManualClock::at(super::START));
        let opened = factory.open(clock.clone()).await;
        Self { clock, store: opened.handles[0].clone(), opened }
    }

    /// One of the handles, in turn.
    pub(super) fn handle(&self, n: usize) -> Arc<dyn Store> {
        self.opened.handles[n % self.opened.handles.len()].clone()
    }

    pub(super) async fn commit(
        &self,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<Vec<u64>, StoreError> {
        self.store.commit(Batch::of(writes)).await
    }

    /// Commits what must succeed.
    pub(super) async fn done(&self, writes: impl IntoIterator<Item = Write>) -> Vec<u64> {
        self.commit(writes).await.unwrap()
    }

    pub(super) async fn get(&self, id: &str) -> Option<Document> {
        self.store.get(&boat(id)).await.unwrap()
    }

    pub(super) async fn version(&self, id: &str) -> Option<u64> {
        self.get(id).await.map(|document| document.version)
    }

    pub(super) async fn query(&self, query: Query<'_>) -> Vec<Found> {
        self.store.query(&query).await.unwrap()
    }

    /// The ids of all boats in an order and range.
    pub(super) async fn ids(&self, order: Order<'_>, range: Range) -> Vec<String> {
        ids(self.query(Query { range, ..all_of(order) }).await)
    }

    /// The ids of all boats in the reverse order.
    pub(super) async fn ids_down(&self, order: Order<'_>, range: Range) -> Vec<String> {
        ids(self.query(Query { range, descending: true, ..all_of(order) }).await)
    }

    pub(super) fn in_secs(&self, secs: u64) -> Timestamp {
        self.clock.now().plus(Duration::from_secs(secs))
    }
}

pub(super) fn ids(found: Vec<Found>) -> Vec<String> {
    found.into_iter().map(|found| found.document.key.id).collect()
}

pub(super) fn boat(id: &str) -> Key {
    Key::new(BOATS, id)
}

/// All boats in an order, up to the most that a query gives.
pub(super) fn all_of(order: Order<'_>) -> Query<'_> {
    Query {
        collection: BOATS,
        order,
        range: index_value::all(),
        descending: false,
        after: None,
        limit: outrigger_kernel::limits::QUERY_LIMIT_MAX,
        may_lag: false,
    }
}

/// A put of a boat without entries.
pub(super) fn put(id: &str) -> Write {
    put_with(id, Vec::new())
}

/// A put of a boat with entries.
pub(super) fn put_with(id: &str, entries: Vec<Entry>) -> Write {
    Write::Put {
        key: boat(id),
        body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        entries,
        expires_at: None,
        precondition: Precondition::Any,
    }
}

pub(super) fn delete(id: &str) -> Write {
    Write::Delete { key: boat(id), precondition: Precondition::Any }
}

pub(super) fn check(id: &str, precondition: Precondition) -> Write {
    Write::Check { key: boat(id), precondition }
}

pub(super) fn reindex(id: &str, entries: Vec<Entry>) -> Write {
    Write::Reindex { key: boat(id), entries, precondition: Precondition::Any }
}

/// A boat as another store has it, with that version.
pub(super) fn restore(id: &str, version: u64, entries: Vec<Entry>) -> Write {
    let body = Bytes::from(format!("{{\"from\":\"{id}\"}}"));
    let document = Document { key: boat(id), version, body, expires_at: None };
    Write::Restore { document, entries, precondition: Precondition::Any }
}

/// The write with another precondition.
pub(super) fn when(mut write: Write, new: Precondition) -> Write {
    match &mut write {
        Write::Put { precondition, .. }
        | Write::Restore { precondition, .. }
        | Write::Reindex { precondition, .. }
        | Write::Delete { precondition, .. }
        | Write::Check { precondition, .. } => *precondition = new,
    }
    write
}

/// The put with another body.
pub(super) fn with_body(mut write: Write, new: impl Into<Bytes>) -> Write {
    if let Write::Put { body, .. } = &mut write {
        *body = new.into();
    }
    write
}

/// The put in another collection.
pub(super) fn put_in(collection: &str, mut write: Write) -> Write {
    if let Write::Put { key, .. } = &mut write {
        collection.clone_into(&mut key.collection);
    }
    write
}

/// The put with an expiry.
pub(super) fn until(mut write: Write, at: Timestamp) -> Write {
    if let Write::Put { expires_at, .. } = &mut write {
        *expires_at = Some(at);
    }
    write
}

/// A plain entry of a string.
pub(super) fn plain(index: &str, value: &str) -> Entry {
    outrigger_ports::collection::entry(index, index_value::of_str(value))
}

/// A unique entry of a string.
pub(super) fn unique(index: &str, value: &str) -> Entry {
    outrigger_ports::collection::unique(index, index_value::of_str(value))
}

/// The encoding of an integer.
pub(super) fn number(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    index_value::integer(&mut out, value.into());
    out
}

pub(super) fn between(from: Bound<&str>, to: Bound<&str>) -> Range {
    (from.map(index_value::of_str), to.map(index_value::of_str))
}

/// Whether this is a failed precondition of that write, with that version there.
#[track_caller]
pub(super) fn assert_precondition(
    result: Result<Vec<u64>, StoreError>,
    at: usize,
    version: Option<u64>,
) {
    match result {
        Err(StoreError::Precondition { write, found }) => {
            assert_eq!((write, found), (at, version), "(write, found version)");
        }
        other => panic!("expected a failed precondition of write {at}, got {other:?}"),
    }
}

/// Whether this is a taken value in that index of that write.
#[track_caller]
pub(super) fn assert_unique(result: Result<Vec<u64>, StoreError>, at: usize, name: &str) {
    match result {
        Err(StoreError::Unique { write, index }) => {
            assert_eq!((write, index.as_str()), (at, name), "(write, index)");
        }
        other => panic!("expected unique index {name} of write {at} to be taken, got {other:?}"),
    }
}
