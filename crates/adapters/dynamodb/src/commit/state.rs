//! What a batch depends on, as it was read.

use std::collections::{HashMap, HashSet};

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Entry, Key, StoreError, Write};

use super::Commit;
use crate::batch_get::{self, How};
use crate::item::{Item, Stamp, Stored};
use crate::key::ItemKey;
use crate::repair;

/// Who has a unique value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) holder: String,
    pub(super) stamp: Stamp,
}

/// Documents and unique entries. What is not in it is not there.
#[derive(Debug, Default)]
pub(super) struct State {
    documents: HashMap<ItemKey, Stored>,
    claims: HashMap<ItemKey, Claim>,
}

impl State {
    /// Reads the documents of the batch and the values that they want; of those that others have,
    /// the documents of these. A value whose holder has it no more is freed.
    ///
    /// # Errors
    /// As [`crate::link::Link::ask`].
    pub(super) async fn read(commit: &Commit<'_>, batch: &Batch) -> Result<Self, StoreError> {
        let mut state = Self::default();
        let documents = batch.writes.iter().map(|write| ItemKey::document(write.key()));
        let wanted = batch.writes.iter().flat_map(|write| uniques(write.key(), write.entries()));
        state.load(commit, documents.chain(wanted).collect()).await?;

        let holders = state.holders(batch);
        let keys = holders.iter().map(|(holder, _)| ItemKey::document(holder));
        let old = batch.writes.iter().flat_map(|write| state.old_uniques(write.key(), commit.now));
        let missing: HashSet<ItemKey> = keys.chain(old).collect();
        if !missing.is_empty() {
            state.load(commit, missing).await?;
        }
        for (holder, entry) in holders {
            state.free(commit, &holder, &entry).await?;
        }
        Ok(state)
    }

    /// The document, live or expired.
    pub(super) fn document(&self, key: &Key) -> Option<&Stored> {
        self.documents.get(&ItemKey::document(key))
    }

    /// The document, if it has not expired.
    pub(super) fn live(&self, key: &Key, now: Timestamp) -> Option<&Stored> {
        self.document(key).filter(|stored| stored.is_live(now))
    }

    /// Who has the value of a unique entry of the document's collection.
    pub(super) fn claim(&self, key: &Key, entry: &Entry) -> Option<&Claim> {
        self.claims.get(&ItemKey::entry(key, entry))
    }

    async fn load(
        &mut self,
        commit: &Commit<'_>,
        keys: HashSet<ItemKey>,
    ) -> Result<(), StoreError> {
        let how = How { call: commit.call, may_lag: false, with_body: false };
        for (key, item) in batch_get::items(commit.link, keys, how).await? {
            match claim(&item) {
                Some(claim) => drop(self.claims.insert(key, claim)),
                None => drop(self.documents.insert(key, Stored::of(item)?)),
            }
        }
        Ok(())
    }

    /// Documents outside the batch that have values which it wants.
    fn holders(&self, batch: &Batch) -> Vec<(Key, Entry)> {
        let ours: HashSet<&Key> = batch.writes.iter().map(Write::key).collect();
        let wanted = batch.writes.iter().flat_map(|write| {
            let unique = write.entries().iter().filter(|entry| entry.unique);
            unique.map(|entry| (write.key(), entry))
        });
        let held = wanted.filter_map(|(key, entry)| {
            let claim = self.claim(key, entry)?;
            Some((Key::new(&key.collection, &claim.holder), entry.clone()))
        });
        held.filter(|(holder, _)| !ours.contains(holder)).collect()
    }

    /// The unique entries of a document that has expired: others may have the values by now.
    fn old_uniques(&self, key: &Key, now: Timestamp) -> Vec<ItemKey> {
        let expired = self.document(key).filter(|stored| !stored.is_live(now));
        let entries = expired.into_iter().flat_map(|stored| &stored.entries);
        let unique = entries.filter(|listed| listed.entry.unique);
        unique.map(|listed| ItemKey::entry(key, &listed.entry)).collect()
    }

    /// Frees the value if the holder has expired, is gone, or has it no more.
    async fn free(
        &mut self,
        commit: &Commit<'_>,
        holder: &Key,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let has = self.live(holder, commit.now).is_some_and(|stored| stored.lists(entry).is_some());
        let key = ItemKey::entry(holder, entry);
        if !has && let Some(claim) = self.claims.remove(&key) {
            repair::delete(commit.link, &key, claim.stamp).await?;
        }
        Ok(())
    }
}

/// Whether a document of the batch was written with this stamp.
///
/// # Errors
/// As [`crate::link::Link::ask`].
pub(super) async fn has(
    commit: &Commit<'_>,
    batch: &Batch,
    stamp: Stamp,
) -> Result<bool, StoreError> {
    let how = How { call: commit.call, may_lag: false, with_body: false };
    let keys = batch.writes.iter().map(Write::key);
    let found = batch_get::documents(commit.link, keys, how).await?;
    Ok(found.values().any(|stored| stored.stamp == stamp))
}

fn claim(item: &Item) -> Option<Claim> {
    let holder = item.get("id")?.as_s().ok()?.clone();
    Some(Claim { holder, stamp: Stamp::of(item)? })
}

fn uniques<'a>(key: &'a Key, entries: &'a [Entry]) -> impl Iterator<Item = ItemKey> + 'a {
    let unique = entries.iter().filter(|entry| entry.unique);
    unique.map(move |entry| ItemKey::entry(key, entry))
}
