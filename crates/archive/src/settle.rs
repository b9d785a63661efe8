//! Commits documents of an archive, whoever has their unique values.
//!
//! An archive of a store that is in use has each document as it was at some instant, but not all as they
//! were at one: of a value that went from one document to another meanwhile, both may tell. The one with
//! the greater key was read later, so it has the value now; the other one has it no more, and loses its
//! entry in that index.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use outrigger_ports::store::{
    Batch, Document, Entry, Key, Order, Precondition, Query, Scanned, Store, StoreError, Write,
};
use tokio::time::{Instant, sleep};

use crate::error::ArchiveError;

/// How long a store may be away before one gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause before another try; each later one is twice as long, up to a second.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks again while the store is away for a moment.
///
/// # Errors
/// The last one, when it stays away.
pub(crate) async fn persist<T>(
    mut ask: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let started = Instant::now();
    let mut pause = PAUSE;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() && started.elapsed() < PATIENCE => {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            answer => return answer,
        }
    }
}

/// A document that has lost an entry.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) before: Scanned,
    pub(crate) after: Scanned,
}

/// Writes the documents, and deletes what the writes delete; tells who has lost an entry.
///
/// # Errors
/// Those of the store.
pub(crate) async fn settle(
    store: &dyn Store,
    mut writes: Vec<Write>,
) -> Result<Vec<Lost>, ArchiveError> {
    let mut lost = Vec::new();
    loop {
        let tried = persist(async || {
            let outcome = store.commit(Batch::of(writes.iter().cloned())).await;
            match outcome {
                // To write the same once more changes nothing.
                Err(StoreError::OutcomeUnknown(cause)) => Err(StoreError::Unavailable(cause)),
                other => other,
            }
        });
        match tried.await {
            Ok(_) => return Ok(lost),
            // An earlier try has done it, or one was there that had expired.
            Err(StoreError::Precondition { .. }) => writes.iter_mut().for_each(unconditioned),
            Err(StoreError::Unique { write, index }) => {
                lost.extend(yielded(store, &mut writes, write, &index).await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn unconditioned(write: &mut Write) {
    if let Write::Restore { precondition, .. } | Write::Delete { precondition, .. } = write {
        *precondition = Precondition::Any;
    }
}

/// Takes the entry from whoever has it no more. Nobody, when the holder has just gone.
async fn yielded(
    store: &dyn Store,
    writes: &mut [Write],
    at: usize,
    index: &str,
) -> Result<Option<Lost>, ArchiveError> {
    let Some(Write::Restore { document, entries, .. }) = writes.get(at) else { return Ok(None) };
    let Some(entry) = entries.iter().find(|entry| entry.unique && entry.index == index).cloned()
    else {
        return Ok(None);
    };
    let key = document.key.clone();
    let has = |write: &Write| {
        write.key().collection == key.collection && write.entries().contains(&entry)
    };
    if let Some(earlier) = writes[..at].iter().position(has) {
        return Ok(strip(&mut writes[earlier], &entry));
    }
    let Some(holder) = holder(store, &key.collection, &entry).await? else { return Ok(None) };
    let in_batch: BTreeSet<&Key> = writes.iter().map(Write::key).collect();
    if holder.document.key > key || in_batch.contains(&holder.document.key) {
        return Ok(strip(&mut writes[at], &entry));
    }
    let mut write = Write::Restore {
        precondition: Precondition::Version(holder.document.version),
        document: holder.document,
        entries: holder.entries,
    };
    let lost = strip(&mut write, &entry);
    let Write::Restore { document, entries, precondition } = write else { return Ok(None) };
    let alone = Write::Restore { document, entries, precondition };
    match persist(async || store.commit(Batch::of([alone.clone()])).await).await {
        Ok(_) => Ok(lost),
        // Somebody else of this import was at it.
        Err(StoreError::Precondition { .. } | StoreError::OutcomeUnknown(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn strip(write: &mut Write, entry: &Entry) -> Option<Lost> {
    let Write::Restore { document, entries, .. } = write else { return None };
    let before = Scanned::new(Document::clone(document), entries.clone());
    entries.retain(|it| it != entry);
    let after = Scanned::new(Document::clone(document), entries.clone());
    Some(Lost { before, after })
}

/// The document that has the value, with all its entries.
async fn holder(
    store: &dyn Store,
    collection: &str,
    entry: &Entry,
) -> Result<Option<Scanned>, ArchiveError> {
    let value = || Bound::Included(entry.value.clone());
    let query = Query {
        collection,
        order: Order::Unique(&entry.index),
        range: (value(), value()),
        descending: false,
        after: None,
        limit: 1,
        may_lag: false,
    };
    let found = persist(async || store.query(&query).await).await?;
    let Some(found) = found.into_iter().next() else { return Ok(None) };
    let key = found.document.key;
    let before = just_before(&key);
    let scanned = persist(async || store.scan(Some(&before), 1).await).await?;
    Ok(scanned.into_iter().find(|scanned| scanned.document.key == key))
}

/// A key between this one and all that stand before it: no id holds a tilde.
fn just_before(key: &Key) -> Key {
    let mut id = key.id.clone();
    let last = id.pop().map_or('\0', |last| char::from_u32(u32::from(last) - 1).unwrap_or('\0'));
    id.push(last);
    id.push('~');
    Key::new(&key.collection, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_between_a_key_and_the_one_before_it() {
        let mut keys: Vec<Key> =
            ["-", "A", "a", "a-", "a.", "az", "azz", "b", "b-", "z", "zz", "~"]
                .map(|id| Key::new("c", id))
                .into();
        keys.pop();
        for pair in keys.windows(2) {
            let between = just_before(&pair[1]);
            assert!(pair[0] < between && between < pair[1], "{pair:?} {between:?}");
        }
    }
}
