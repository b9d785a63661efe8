//! The model of the store port: the simplest code that does what the port says.
//!
//! All documents stand in one map behind one lock, and every query looks at all documents of its
//! collection. So it is slow with many documents, and easy to see to be right.

mod commit;
mod query;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::{Clock, Timestamp, limits};
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Entry, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError,
    bounds,
};

/// A document with its entries.
#[derive(Clone, Debug)]
struct Row {
    version: u64,
    body: Bytes,
    entries: Vec<Entry>,
    expires_at: Option<Timestamp>,
}

impl Row {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    fn document(&self, key: &Key) -> Document {
        Document {
            key: key.clone(),
            version: self.version,
            body: self.body.clone(),
            expires_at: self.expires_at,
        }
    }
}

type Rows = BTreeMap<Key, Row>;

/// A store in memory, for tests; see the module.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    rows: Mutex<Rows>,
}

impl MemoryStore {
    /// An empty store; `clock` decides which documents have expired.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, rows: Mutex::default() }
    }

    /// The documents, and the instant for which the caller looks at them.
    fn locked(&self) -> (MutexGuard<'_, Rows>, Timestamp) {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        (rows, self.clock.now())
    }
}

fn live<'a>(rows: &'a Rows, key: &Key, now: Timestamp) -> Option<&'a Row> {
    rows.get(key).filter(|row| row.is_live(now))
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        let (rows, now) = self.locked();
        Ok(live(&rows, key, now).map(|row| row.document(key)))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        bounds::check_number("number of keys", keys.len(), 0, limits::GET_MANY_MAX)?;
        let (rows, now) = self.locked();
        Ok(keys.iter().map(|key| live(&rows, key, now).map(|row| row.document(key))).collect())
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        bounds::check_number("limit", query.limit, 1, limits::QUERY_LIMIT_MAX)?;
        let (rows, now) = self.locked();
        Ok(query::run(&rows, query, now))
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        batch.validate()?;
        let (mut rows, now) = self.locked();
        commit::run(&mut rows, batch, now)
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        bounds::check_number("limit", limit, 1, limits::QUERY_LIMIT_MAX)?;
        let (rows, now) = self.locked();
        Ok(rows
            .iter()
            .filter(|(key, row)| row.is_live(now) && after.is_none_or(|after| *key > after))
            .take(limit)
            .map(|(key, row)| Scanned::new(row.document(key), row.entries.clone()))
            .collect())
    }

    async fn migrate(&self, _mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        Ok(Vec::new())
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        let (mut rows, now) = self.locked();
        let expired = rows.iter().filter(|(_, row)| !row.is_live(now));
        let keys: Vec<Key> = expired.take(limit).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            rows.remove(key);
        }
        Ok(keys.len())
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        let (rows, _) = self.locked();
        Ok(Probed {
            latency: Duration::ZERO,
            version: "memory".to_owned(),
            facts: vec![("documents", rows.len().to_string())],
            findings: Vec::new(),
        })
    }
}
