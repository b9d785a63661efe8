//! Whether a batch may be: first every precondition, then every unique entry.

use std::collections::HashSet;

use outrigger_ports::store::{Batch, Key, StoreError, Write};

use super::state::State;
use crate::key;

/// Names the first fault of the batch.
///
/// # Errors
/// [`StoreError::Precondition`] and [`StoreError::Unique`].
pub(super) fn faults(batch: &Batch, state: &State) -> Result<(), StoreError> {
    for (write, part) in batch.writes.iter().enumerate() {
        let found = state.version(part.key());
        if !part.precondition().holds(found) {
            return Err(StoreError::Precondition { write, found });
        }
    }
    uniques(batch, state)
}

/// Names the first value that a document outside the batch has, or one that the batch leaves as it
/// is, or an earlier write.
fn uniques(batch: &Batch, state: &State) -> Result<(), StoreError> {
    let changes = batch.writes.iter().filter(|write| !matches!(write, Write::Check { .. }));
    let rewritten: HashSet<String> = changes.map(|write| key::id(write.key())).collect();
    let mut taken = HashSet::new();
    for (write, part) in batch.writes.iter().enumerate() {
        if does_nothing(part, state) {
            continue;
        }
        for entry in part.entries().iter().filter(|entry| entry.unique) {
            let claim = key::claim(&part.key().collection, entry);
            let held = state.holders(&claim).any(|id| !rewritten.contains(id));
            if held || !taken.insert(claim) {
                return Err(StoreError::Unique { write, index: entry.index.clone() });
            }
        }
    }
    Ok(())
}

/// Whether it is a reindex of no document.
fn does_nothing(write: &Write, state: &State) -> bool {
    matches!(write, Write::Reindex { .. }) && state.version(write.key()).is_none()
}

/// All unique values that the batch takes.
pub(super) fn wanted(batch: &Batch) -> Vec<String> {
    let of = |write: &Write| {
        let key: &Key = write.key();
        crate::stored::claims(key, write.entries())
    };
    batch.writes.iter().flat_map(of).collect()
}
