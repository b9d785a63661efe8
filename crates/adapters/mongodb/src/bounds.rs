//! Refuses what cannot be kept, before MongoDB is asked.

use outrigger_kernel::limits;
use outrigger_ports::store::{Batch, Key, Order, StoreError};

use crate::key::SEPARATOR;

/// Longest name of an index and of a collection, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Refuses a batch that is over a portable bound or has a name that does not fit into a key.
///
/// # Errors
/// [`StoreError::Bound`] names the write and the bound.
pub(crate) fn check_batch(batch: &Batch) -> Result<(), StoreError> {
    batch.validate()?;
    for (write, part) in batch.writes.iter().enumerate() {
        let bound = |what: String| Err(StoreError::Bound { write, what });
        if !is_collection(&part.key().collection) {
            return bound(format!("collection not 1 to {NAME_BYTES_MAX} bytes without spaces"));
        }
        if part.entries().iter().any(|entry| entry.index.len() > NAME_BYTES_MAX) {
            return bound(format!("name of an index over {NAME_BYTES_MAX} bytes"));
        }
    }
    Ok(())
}

/// Whether a collection can have this name: a space ends it in a key, and nothing may be less.
fn is_collection(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(|char| char <= SEPARATOR)
}

/// Whether there can be such a document.
pub(crate) fn may_be(key: &Key) -> bool {
    is_collection(&key.collection) && (1..=limits::ID_BYTES_MAX).contains(&key.id.len())
}

/// Whether a collection and its index can have documents.
pub(crate) fn may_exist(collection: &str, order: Order<'_>) -> bool {
    let index = match order {
        Order::Id => "",
        Order::Index(name) | Order::Unique(name) => name,
    };
    is_collection(collection) && index.len() <= NAME_BYTES_MAX
}

/// Refuses a number that is not within its bounds.
///
/// # Errors
/// [`StoreError::Bound`] says them.
pub(crate) fn check(what: &str, value: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(StoreError::Bound { write: 0, what: format!("{what} not {min} to {max}") })
}
