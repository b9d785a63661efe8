//! Whether a batch may be: first every precondition, then every unique entry.

use std::collections::HashSet;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Key, StoreError, Write};

use super::state::State;

/// Names the first precondition that does not hold.
pub(super) fn preconditions(
    batch: &Batch,
    state: &State,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (position, write) in batch.writes.iter().enumerate() {
        let found = state.live(write.key(), now).map(|stored| stored.version);
        if !write.precondition().holds(found) {
            return Err(StoreError::Precondition { write: position, found });
        }
    }
    Ok(())
}

/// Names the first value that a document outside the batch has, or one that the batch leaves as it
/// is, or an earlier write. Values whose holders have them no more were freed when they were read.
pub(super) fn uniques(batch: &Batch, state: &State, now: Timestamp) -> Result<(), StoreError> {
    let changes = batch.writes.iter().filter(|write| !matches!(write, Write::Check { .. }));
    let rewritten: HashSet<&Key> = changes.map(Write::key).collect();
    let mut taken = HashSet::new();
    for (position, write) in batch.writes.iter().enumerate() {
        let key = write.key();
        if matches!(write, Write::Reindex { .. }) && state.live(key, now).is_none() {
            continue;
        }
        for entry in write.entries().iter().filter(|entry| entry.unique) {
            let is_new = taken.insert((&key.collection, &entry.index, &entry.value));
            let is_held = state.claim(key, entry).is_some_and(|claim| {
                let holder = Key::new(&key.collection, &claim.holder);
                let has = |stored: &crate::item::Stored| stored.lists(entry).is_some();
                !rewritten.contains(&holder) && state.live(&holder, now).is_some_and(has)
            });
            if !is_new || is_held {
                let index = entry.index.clone();
                return Err(StoreError::Unique { write: position, index });
            }
        }
    }
    Ok(())
}
