//! A store in memory, just enough for an outbox: adapters do not know each other.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Entry, Found, Key, MigrateMode, Migration, Order, Position, Precondition,
    Query, Scanned, Store, StoreError, Write,
};

type Kept = BTreeMap<Key, (Document, Vec<Entry>)>;

/// Documents and their entries. Nothing expires, no value is unique.
#[derive(Debug, Default)]
pub(crate) struct OutboxStore(Mutex<Kept>);

impl OutboxStore {
    fn read<T>(&self, read: impl FnOnce(&mut Kept) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn holds(precondition: Precondition, found: Option<u64>) -> bool {
    match precondition {
        Precondition::Any => true,
        Precondition::Absent => found.is_none(),
        Precondition::Exists => found.is_some(),
        Precondition::Version(version) => found == Some(version),
    }
}

fn position(order: &Order<'_>, document: &Document, entries: &[Entry]) -> Option<Position> {
    let id = document.key.id.clone();
    let value = match order {
        Order::Id => Vec::new(),
        Order::Index(name) | Order::Unique(name) => {
            entries.iter().find(|entry| entry.index == *name)?.value.clone()
        }
    };
    Some(Position { value, id })
}

fn is_within((start, end): &(Bound<Vec<u8>>, Bound<Vec<u8>>), value: &[u8]) -> bool {
    let starts = match start {
        Bound::Included(least) => value >= least.as_slice(),
        Bound::Excluded(least) => value > least.as_slice(),
        Bound::Unbounded => true,
    };
    starts
        && match end {
            Bound::Included(most) => value <= most.as_slice(),
            Bound::Excluded(most) => value < most.as_slice(),
            Bound::Unbounded => true,
        }
}

#[async_trait]
impl Store for OutboxStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        Ok(self.read(|kept| kept.get(key).map(|(document, _)| document.clone())))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        let one = |kept: &Kept, key| kept.get(key).map(|(document, _)| document.clone());
        Ok(self.read(|kept| keys.iter().map(|key| one(kept, key)).collect()))
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        let mut found: Vec<Found> = self.read(|kept| {
            let those = kept.values().filter(|(doc, _)| doc.key.collection == query.collection);
            let found = those.filter_map(|(document, entries)| {
                let position = position(&query.order, document, entries)?;
                Some(Found { position, document: document.clone() })
            });
            found.collect()
        });
        found.retain(|found| is_within(&query.range, &found.position.value));
        found.retain(|found| query.after.as_ref().is_none_or(|after| found.position > *after));
        found.sort_by(|one, other| one.position.cmp(&other.position));
        found.truncate(query.limit);
        Ok(found)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        batch.validate()?;
        self.read(|kept| {
            for (write, change) in batch.writes.iter().enumerate() {
                let found = kept.get(change.key()).map(|(document, _)| document.version);
                if !holds(change.precondition(), found) {
                    return Err(StoreError::Precondition { write, found });
                }
            }
            let apply = |change: Write| match change {
                Write::Put { key, body, entries, expires_at, .. } => {
                    let version = kept.get(&key).map_or(0, |(document, _)| document.version) + 1;
                    let document = Document { key: key.clone(), version, body, expires_at };
                    kept.insert(key, (document, entries));
                    version
                }
                Write::Restore { document, entries, .. } => {
                    let version = document.version;
                    kept.insert(document.key.clone(), (document, entries));
                    version
                }
                Write::Delete { key, .. } => {
                    kept.remove(&key);
                    0
                }
                Write::Reindex { key, .. } | Write::Check { key, .. } => {
                    kept.get(&key).map_or(0, |(document, _)| document.version)
                }
            };
            Ok(batch.writes.into_iter().map(apply).collect())
        })
    }

    async fn scan(&self, _after: Option<&Key>, _limit: usize) -> Result<Vec<Scanned>, StoreError> {
        let scanned = |(document, entries): &(Document, Vec<Entry>)| {
            Scanned::new(document.clone(), entries.clone())
        };
        Ok(self.read(|kept| kept.values().map(scanned).collect()))
    }

    async fn migrate(&self, _mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        Ok(Vec::new())
    }

    async fn purge_expired(&self, _limit: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        Ok(Probed::default())
    }
}
