//! What a batch does to the table, item by item.

use std::collections::BTreeMap;

use bytes::Bytes;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::store::{Batch, Document, Entry, Key, Precondition, Write};

use super::state::State;
use crate::item::{self, Item, Listed, Stamp, Stored};
use crate::key::ItemKey;

/// Most items in a transaction.
const ITEMS_MAX: usize = 100;
/// What a reindex may change of a document's item.
const RELISTED: [&str; 4] = ["t", "e", "xp", "ttl"];

// Documents, the unique values that they take, and the mark of a large batch are one transaction.
const _: () = assert!(limits::BATCH_MAX * (1 + limits::UNIQUES_MAX) < ITEMS_MAX);

/// What must hold of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing.
    None,
    /// It is not there.
    Absent,
    /// It is there.
    There,
    /// It was last written with this stamp.
    Stamp(Stamp),
}

/// What is done to an item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Written whole.
    Put(Item, Guard),
    /// Given these attributes, and without those.
    Change(Item, Vec<&'static str>, Guard),
    /// Deleted.
    Delete(Guard),
    /// Left as it is.
    Check(Guard),
}

/// An index entry that a document will have.
#[derive(Clone, Debug)]
pub(super) struct Coming {
    pub(super) key: Key,
    pub(super) listed: Listed,
    /// The stamp of its item from before the document expired.
    pub(super) was: Option<Stamp>,
}

/// Actions by item; each item once.
pub(super) type Actions = BTreeMap<ItemKey, Action>;

/// A batch as actions.
#[derive(Debug)]
pub(super) struct Plan {
    /// What it is known by.
    pub(super) stamp: Stamp,
    /// The versions afterwards.
    pub(super) versions: Vec<u64>,
    /// Documents, and unique entries that are taken.
    pub(super) core: Actions,
    /// Index entries that come.
    pub(super) coming: Vec<Coming>,
    /// Entries that go, with the stamps that they have.
    pub(super) going: BTreeMap<ItemKey, (Stamp, Guard)>,
    pub(super) now: Timestamp,
}

impl Plan {
    /// What the batch does, if nothing changes that was read.
    pub(super) fn of(batch: &Batch, state: &State, now: Timestamp, stamp: Stamp) -> Self {
        let mut plan = Self {
            stamp,
            versions: Vec::with_capacity(batch.writes.len()),
            core: Actions::new(),
            coming: Vec::new(),
            going: BTreeMap::new(),
            now,
        };
        for write in &batch.writes {
            let version = plan.write(write, state);
            plan.versions.push(version);
        }
        let taken: Vec<ItemKey> =
            plan.going.keys().filter(|key| plan.core.contains_key(key)).cloned().collect();
        // Who takes a value over writes its item; who gives it up leaves it alone.
        plan.going.retain(|key, _| !taken.contains(key));
        plan
    }

    fn write(&mut self, write: &Write, state: &State) -> u64 {
        let key = write.key();
        let stored = state.document(key);
        let live = state.live(key, self.now);
        let version = live.map_or(0, |stored| stored.version);
        let guard = stored.map_or(Guard::Absent, |stored| Guard::Stamp(stored.stamp));
        let action = match write {
            Write::Put { body, entries, expires_at, .. }
            | Write::Restore { document: Document { body, expires_at, .. }, entries, .. } => {
                let entries = self.entries(key, entries, state);
                let (body, version) = (Bytes::clone(body), write.version_after(version));
                let stamp = self.stamp;
                let new = Stored { version, body, expires_at: *expires_at, entries, stamp };
                Action::Put(new.item(key), guard)
            }
            Write::Reindex { entries, .. } if live.is_some() => {
                let entries = self.entries(key, entries, state);
                self.relist(key, live, entries, guard)
            }
            Write::Delete { .. } if stored.is_some() => {
                self.entries(key, &[], state);
                Action::Delete(guard)
            }
            // Nothing depends on it.
            Write::Check { precondition: Precondition::Any, .. } => return version,
            _ => Action::Check(guard),
        };
        self.core.insert(ItemKey::document(key), action);
        write.version_after(version)
    }

    /// Other entries for the document, which may change how long its item is kept.
    fn relist(
        &self,
        key: &Key,
        live: Option<&Stored>,
        entries: Vec<Listed>,
        guard: Guard,
    ) -> Action {
        let stored = Stored {
            entries,
            stamp: self.stamp,
            version: 0,
            body: Bytes::new(),
            expires_at: live.and_then(|stored| stored.expires_at),
        };
        let mut item = stored.item(key);
        item.retain(|name, _| RELISTED.contains(&name.as_str()));
        let gone = RELISTED.into_iter().filter(|name| !item.contains_key(*name)).collect();
        Action::Change(item, gone, guard)
    }

    /// The document's entries from now on: those that it has keep their items.
    fn entries(&mut self, key: &Key, new: &[Entry], state: &State) -> Vec<Listed> {
        let live = state.live(key, self.now);
        let mut listed = Vec::with_capacity(new.len());
        for entry in new {
            if let Some(known) = live.and_then(|stored| stored.lists(entry)) {
                listed.push(known.clone());
                continue;
            }
            let fresh = Listed { entry: entry.clone(), stamp: self.stamp };
            if entry.unique {
                let held = state.claim(key, entry).map(|claim| Guard::Stamp(claim.stamp));
                let item = item::of_entry(key, &fresh, self.now);
                let action = Action::Put(item, held.unwrap_or(Guard::Absent));
                self.core.insert(ItemKey::entry(key, entry), action);
            } else {
                let was = state.document(key).and_then(|stored| Some(stored.lists(entry)?.stamp));
                self.coming.push(Coming { key: key.clone(), listed: fresh.clone(), was });
            }
            listed.push(fresh);
        }
        let old = state.document(key).into_iter().flat_map(|stored| &stored.entries);
        for gone in old.filter(|old| !new.contains(&old.entry)) {
            self.give_up(key, gone, live.is_some(), state);
        }
        listed
    }

    /// An expired document may have lost its unique values to others.
    fn give_up(&mut self, key: &Key, gone: &Listed, is_live: bool, state: &State) {
        let guard = match gone.entry.unique {
            false => Guard::None,
            true if is_live => Guard::Stamp(gone.stamp),
            true => match state.claim(key, &gone.entry) {
                Some(claim) if claim.holder == key.id => Guard::Stamp(claim.stamp),
                _ => return,
            },
        };
        self.going.insert(ItemKey::entry(key, &gone.entry), (gone.stamp, guard));
    }

    /// Whether it is one transaction as it is.
    pub(super) fn fits(&self) -> bool {
        self.core.len() + self.coming.len() + self.going.len() <= ITEMS_MAX
    }

    /// Everything.
    pub(super) fn all(&self) -> Actions {
        let mut all = self.core.clone();
        for Coming { key, listed, .. } in &self.coming {
            let put = Action::Put(item::of_entry(key, listed, self.now), Guard::None);
            all.insert(ItemKey::entry(key, &listed.entry), put);
        }
        for (key, (_, guard)) in &self.going {
            all.insert(key.clone(), Action::Delete(guard.clone()));
        }
        all
    }

    /// The entries that go, with the stamps that they have.
    pub(super) fn gone(&self) -> Vec<(ItemKey, Stamp)> {
        self.going.iter().map(|(key, (stamp, _))| (key.clone(), *stamp)).collect()
    }

    /// The index entries that come, as they are written.
    pub(super) fn staged(&self) -> Vec<(ItemKey, Stamp)> {
        let place = |coming: &Coming| ItemKey::entry(&coming.key, &coming.listed.entry);
        self.coming.iter().map(|coming| (place(coming), self.stamp)).collect()
    }
}
