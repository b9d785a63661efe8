//! The records service: what it is built from, and what its operations share.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock, Error, ErrorKind, Ids, Result, limits};
use outrigger_ports::blobs::Blobs;
use outrigger_ports::cached::CacheAside;
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Store, StoreError};

use super::definition::Compiled;
use super::definitions::{Definitions, Shared};
use super::index;
use super::model::Purge;
use crate::audit::Audit;
use crate::idempotency::Idempotency;
use crate::ports::Ports;
use crate::tasks::Tasks;

/// What can be set about records.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long background work waits after a definition was changed, until no request can use
    /// the old one any more: longer than a snapshot is fresh plus the longest commit.
    pub settle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { settle: Duration::from_secs(60) }
    }
}

/// Collections and their records.
#[derive(Clone, Debug)]
pub struct Records {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cache: Arc<CacheAside>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) definitions: Definitions,
    pub(crate) purges: Collection<Purge>,
    pub(crate) audit: Audit,
    pub(crate) tasks: Tasks,
    pub(crate) idempotency: Idempotency,
    pub(crate) settings: Settings,
}

impl Records {
    /// The service on these ports; `shared` is one for the whole process.
    pub fn new(
        ports: &Ports,
        audit: Audit,
        tasks: Tasks,
        shared: Arc<Shared>,
        settings: Settings,
    ) -> Self {
        Self {
            store: ports.store.clone(),
            cache: ports.cache.clone(),
            blobs: ports.blobs.clone(),
            clock: ports.clock.clone(),
            ids: ports.ids(),
            definitions: Definitions::new(ports, shared),
            purges: ports.collection(),
            audit,
            tasks,
            idempotency: Idempotency::new(ports),
            settings,
        }
    }

    /// The definitions of collections.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Commits; `None` when a precondition does not hold.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Option<Vec<u64>>> {
        match self.store.commit(batch).await {
            Ok(versions) => Ok(Some(versions)),
            Err(StoreError::Precondition { .. }) => Ok(None),
            Err(StoreError::Unique { index, .. }) => Err(not_unique(&index)),
            Err(error) => Err(error.into()),
        }
    }

    /// Commits with the cached copies of these records held.
    pub(crate) async fn commit_cached(
        &self,
        keys: &[String],
        batch: Batch,
    ) -> Result<Option<Vec<u64>>> {
        if keys.is_empty() {
            return self.commit(batch).await;
        }
        self.cache.write(keys, self.commit(batch)).await
    }
}

/// The key under which a record is cached.
pub(crate) fn cache_key(compiled: &Compiled, id: &str) -> String {
    let collection = &compiled.store_collection;
    let mut key = String::with_capacity(collection.len() + id.len() + 1);
    key.push_str(collection);
    key.push(':');
    key.push_str(id);
    key
}

fn not_unique(store_name: &str) -> Error {
    let message = match index::fields_of(store_name) {
        Some(fields) => format!("another record has the same value of {fields}"),
        None => "a task with the same unique key is not finished".to_owned(),
    };
    Error::conflict("not_unique", message)
}

/// Somebody else was quicker, again and again.
pub(crate) fn too_contended() -> Error {
    Error::conflict("concurrent_change", "the record is being changed by others; try again")
}

/// The body as JSON.
pub(crate) fn parse_data(body: &[u8]) -> Result<serde_json::Value> {
    if body.len() > limits::RECORD_DATA_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "record_too_large",
            format!("the data of a record has at most {} bytes", limits::RECORD_DATA_BYTES_MAX),
        ));
    }
    crate::json::parse(body).map_err(|error| error.within(&["body"]))
}
