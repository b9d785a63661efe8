//! A batch, all or nothing: first every precondition, then every unique entry, then the change.

use std::collections::BTreeSet;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Document, Entry, Key, StoreError, Write};

use super::{Row, Rows, live};

/// Commits the batch; the versions afterwards.
pub(super) fn run(rows: &mut Rows, batch: Batch, now: Timestamp) -> Result<Vec<u64>, StoreError> {
    let batch = batch.without_dead_entries(now);
    check_preconditions(rows, &batch, now)?;
    check_uniques(rows, &batch, now)?;
    Ok(batch.writes.into_iter().map(|write| apply(rows, write, now)).collect())
}

fn check_preconditions(rows: &Rows, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
    for (position, write) in batch.writes.iter().enumerate() {
        let found = live(rows, write.key(), now).map(|row| row.version);
        if !write.precondition().holds(found) {
            return Err(StoreError::Precondition { write: position, found });
        }
    }
    Ok(())
}

/// Values are free that no live document outside the batch has, nor an earlier write of it.
fn check_uniques(rows: &Rows, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
    let rewritten: BTreeSet<&Key> = batch
        .writes
        .iter()
        .filter(|write| !matches!(write, Write::Check { .. }))
        .map(Write::key)
        .collect();
    let mut taken: BTreeSet<(&str, &str, &[u8])> = rows
        .iter()
        .filter(|(key, row)| row.is_live(now) && !rewritten.contains(key))
        .flat_map(|(key, row)| values(key, &row.entries))
        .collect();
    for (position, write) in batch.writes.iter().enumerate() {
        if matches!(write, Write::Reindex { .. }) && live(rows, write.key(), now).is_none() {
            continue;
        }
        for value in values(write.key(), write.entries()) {
            if !taken.insert(value) {
                let index = value.1.to_owned();
                return Err(StoreError::Unique { write: position, index });
            }
        }
    }
    Ok(())
}

fn values<'a>(
    key: &'a Key,
    entries: &'a [Entry],
) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> {
    entries
        .iter()
        .filter(|entry| entry.unique)
        .map(|entry| (key.collection.as_str(), entry.index.as_str(), entry.value.as_slice()))
}

fn apply(rows: &mut Rows, write: Write, now: Timestamp) -> u64 {
    let version = live(rows, write.key(), now).map_or(0, |row| row.version);
    match write {
        Write::Put { key, body, entries, expires_at, .. } => {
            rows.insert(key, Row { version: version + 1, body, entries, expires_at });
            version + 1
        }
        Write::Restore { document, entries, .. } => {
            let Document { key, version, body, expires_at } = document;
            rows.insert(key, Row { version, body, entries, expires_at });
            version
        }
        Write::Reindex { key, entries, .. } => {
            if let Some(row) = rows.get_mut(&key).filter(|row| row.is_live(now)) {
                row.entries = entries;
            }
            version
        }
        Write::Delete { key, .. } => {
            rows.remove(&key);
            0
        }
        Write::Check { .. } => version,
    }
}
