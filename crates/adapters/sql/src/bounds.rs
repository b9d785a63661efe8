//! Refuses what no database of this crate can keep, before it is asked.

use outrigger_kernel::limits;
use outrigger_ports::store::{Batch, Key, Order, StoreError};

/// Longest name of an index, in bytes.
const INDEX_NAME_BYTES_MAX: usize = 200;
/// Longest name of a collection, in bytes: its name and the part in front of it.
const COLLECTION_BYTES_MAX: usize = 200;

/// Refuses a batch that is over a portable bound or holds a NUL where text is kept.
///
/// # Errors
/// [`StoreError::Bound`] names the write and the bound.
pub(crate) fn check_batch(batch: &Batch) -> Result<(), StoreError> {
    batch.validate()?;
    for (write, part) in batch.writes.iter().enumerate() {
        let bound = |what: String| Err(StoreError::Bound { write, what });
        let key = part.key();
        if key.collection.len() > COLLECTION_BYTES_MAX {
            return bound(format!("collection over {COLLECTION_BYTES_MAX} bytes"));
        }
        if !is_text(key) {
            return bound("a NUL in the collection or id".to_owned());
        }
        for entry in part.entries() {
            if entry.index.len() > INDEX_NAME_BYTES_MAX || entry.index.contains('\0') {
                return bound(format!(
                    "name of an index over {INDEX_NAME_BYTES_MAX} bytes or with a NUL"
                ));
            }
        }
    }
    Ok(())
}

/// Whether a document can have this key; text with NUL is not kept.
pub(crate) fn is_text(key: &Key) -> bool {
    !key.collection.contains('\0') && !key.id.contains('\0')
}

/// Whether a collection and its index can have documents.
pub(crate) fn may_exist(collection: &str, order: Order<'_>) -> bool {
    let index = match order {
        Order::Id => "",
        Order::Index(name) | Order::Unique(name) => name,
    };
    !collection.contains('\0') && !index.contains('\0')
}

/// Refuses a list of keys that is over a portable bound.
///
/// # Errors
/// [`StoreError::Bound`] says the bound.
pub(crate) fn check_keys(keys: &[Key]) -> Result<(), StoreError> {
    if keys.len() > limits::GET_MANY_MAX {
        let what = format!("more than {} keys", limits::GET_MANY_MAX);
        return Err(StoreError::Bound { write: 0, what });
    }
    Ok(())
}

/// Refuses a page of no or too many documents.
///
/// # Errors
/// [`StoreError::Bound`] says the bound.
pub(crate) fn check_page(limit: usize) -> Result<(), StoreError> {
    if !(1..=limits::QUERY_LIMIT_MAX).contains(&limit) {
        let what = format!("a page has 1 to {} documents, not {limit}", limits::QUERY_LIMIT_MAX);
        return Err(StoreError::Bound { write: 0, what });
    }
    Ok(())
}
