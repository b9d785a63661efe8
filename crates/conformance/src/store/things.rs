//! Documents with a status, for the tests of faults that each store has of its own.

use bytes::Bytes;
use outrigger_kernel::limits;
use outrigger_ports::collection::entry;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Key, Order, Precondition, Query, Store, StoreError, Write};

const THINGS: &str = "rec.things";
const STATUS: &str = "status";

/// The key of a thing.
pub fn key(id: &str) -> Key {
    Key::new(THINGS, id)
}

/// A put of a small body with an entry in `status`.
pub fn put(id: &str, status: &str, precondition: Precondition) -> Write {
    let body = Bytes::from(format!("{{\"status\":\"{status}\"}}"));
    let entries = vec![entry(STATUS, index_value::of_str(status))];
    Write::Put { key: key(id), body, entries, expires_at: None, precondition }
}

/// Creates a thing.
///
/// # Errors
/// Those of the store.
pub async fn create(store: &dyn Store, id: &str) -> Result<Vec<u64>, StoreError> {
    store.commit(Batch::of([put(id, "new", Precondition::Absent)])).await
}

/// The ids of all things in the order of their status.
pub async fn by_status(store: &dyn Store) -> Vec<String> {
    let query = Query {
        collection: THINGS,
        order: Order::Index(STATUS),
        range: index_value::all(),
        descending: false,
        after: None,
        limit: limits::QUERY_LIMIT_MAX,
        may_lag: false,
    };
    super::bed::ids(store.query(&query).await.unwrap())
}
