//! The store on SQLite: the embedded default.
//!
//! Point reads run at once on the calling thread, on the handle's own connection; lists and scans
//! on a few threads; all writes on one thread that groups them. The log (WAL) lets readers and the
//! writer go on beside each other, and every commit is flushed before it is answered.

mod commit;
mod entries;
mod error;
mod migrate;
mod open;
mod options;
mod plan;
mod probe;
mod query;
mod queue;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use outrigger_kernel::Clock;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError,
};
use rusqlite::Connection;

pub use options::SqliteOptions;

use crate::bounds;

/// A handle to a SQLite database; make one per thread with [`SqliteStore::for_thread`].
#[derive(Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
    /// Only this handle's thread takes it, so nobody waits.
    reader: Mutex<Connection>,
}

/// What all handles have in common. The order matters: the threads end before the lock goes.
#[derive(Debug)]
struct Shared {
    readers: readers::Readers,
    writer: writer::Writer,
    options: SqliteOptions,
    clock: Arc<dyn Clock>,
    #[expect(dead_code, reason = "held until the store is dropped")]
    lock: open::Lock,
}

impl SqliteStore {
    /// Opens the database, making file and folder when they are missing, and starts its writer.
    /// The tables are made by [`Store::migrate`]. Metrics go to the recorder that is installed
    /// by then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be used or another process has it, and
    /// [`StoreError::Internal`] when it is no SQLite database.
    pub fn open(options: &SqliteOptions, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let lock = open::Lock::take(&options.path)?;
        let connection = open::writer(options)?;
        let reader = open::reader(options)?;
        let shared = Shared {
            readers: readers::Readers::start(options)?,
            writer: writer::Writer::start(connection, Arc::clone(&clock))?,
            options: options.clone(),
            clock,
            lock,
        };
        Ok(Self { shared: Arc::new(shared), reader: Mutex::new(reader) })
    }

    /// Another handle to the same database with a read connection of its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be opened once more.
    pub fn for_thread(&self) -> Result<Self, StoreError> {
        let reader = open::reader(&self.shared.options)?;
        Ok(Self { shared: Arc::clone(&self.shared), reader: Mutex::new(reader) })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        let now = self.shared.clock.now();
        query::get(&self.reader(), key, now).map_err(|error| error::of(&error))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        bounds::check_keys(keys)?;
        let now = self.shared.clock.now();
        query::get_many(&self.reader(), keys, now).map_err(|error| error::of(&error))
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        bounds::check_page(query.limit)?;
        if !bounds::may_exist(query.collection, query.order) {
            return Ok(Vec::new());
        }
        let list = query::List::of(query);
        let (collection, descending) = (query.collection.to_owned(), query.descending);
        let (limit, now) = (query.limit, self.shared.clock.now());
        self.shared
            .readers
            .run(move |conn| {
                list.run(conn, &collection, descending, limit, now)
                    .map_err(|error| error::of(&error))
            })
            .await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        bounds::check_batch(&batch)?;
        let batch = batch.without_dead_entries(self.shared.clock.now());
        self.shared.writer.commit(batch).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        bounds::check_page(limit)?;
        let (after, now) = (after.cloned(), self.shared.clock.now());
        self.shared
            .readers
            .run(move |conn| {
                query::scan(conn, after.as_ref(), limit, now).map_err(|error| error::of(&error))
            })
            .await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        let now = self.shared.clock.now();
        self.shared.writer.run(move |conn| migrate::migrate(conn, mode, now)).await
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .writer
            .run(move |conn| writer::alone(conn, |conn| commit::purge(conn, limit, now)))
            .await
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        let path = self.shared.options.path.clone();
        let started = std::time::Instant::now();
        let mut probed = self.shared.writer.run(move |conn| probe::probe(conn, &path)).await?;
        probed.latency = started.elapsed();
        Ok(probed)
    }
}
