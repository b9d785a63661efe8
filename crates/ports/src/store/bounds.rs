//! Bounds that adapters look at before they ask a database.

use outrigger_kernel::limits;

use super::{Batch, Key, Order, StoreError};

/// Longest name of an index and of a collection, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// Which names of collections fit into the keys of a database.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Whether no collection can have this character in its name, because it ends one in a key.
    pub ends: fn(char) -> bool,
    /// What such characters are called.
    pub called: &'static str,
}

impl Names {
    /// Refuses a batch that is over a portable bound or has a name that does not fit into a key.
    ///
    /// # Errors
    /// [`StoreError::Bound`] names the write and the bound.
    pub fn check(&self, batch: &Batch) -> Result<(), StoreError> {
        batch.validate()?;
        for (write, part) in batch.writes.iter().enumerate() {
            let bound = |what: String| Err(StoreError::Bound { write, what });
            if !self.is_collection(&part.key().collection) {
                let without = self.called;
                return bound(format!(
                    "collection not 1 to {NAME_BYTES_MAX} bytes without {without}"
                ));
            }
            if part.entries().iter().any(|entry| entry.index.len() > NAME_BYTES_MAX) {
                return bound(format!("name of an index over {NAME_BYTES_MAX} bytes"));
            }
        }
        Ok(())
    }

    /// Whether there can be such a document.
    pub fn may_be(&self, key: &Key) -> bool {
        self.is_collection(&key.collection) && (1..=limits::ID_BYTES_MAX).contains(&key.id.len())
    }

    /// Whether a collection and its index can have documents.
    pub fn may_exist(&self, collection: &str, order: Order<'_>) -> bool {
        let index = match order {
            Order::Id => "",
            Order::Index(name) | Order::Unique(name) => name,
        };
        self.is_collection(collection) && index.len() <= NAME_BYTES_MAX
    }

    fn is_collection(&self, name: &str) -> bool {
        (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(self.ends)
    }
}

/// Refuses a number, such as of documents on a page, that is not within its bounds.
///
/// # Errors
/// [`StoreError::Bound`] says them.
pub fn check_number(what: &str, value: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(StoreError::Bound { write: 0, what: format!("{what} not {min} to {max}") })
}
