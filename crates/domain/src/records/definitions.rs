//! Snapshots of definitions, at most a second old.
//!
//! Every request needs the definition of its collection; reading it from the store each time would
//! double the work of a cached read. So a change is seen by this process at once and by other
//! replicas within [`FRESH_FOR`]; background work that depends on a change waits longer than that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use outrigger_kernel::{Clock, Error, Result, Timestamp, limits};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Position};

use super::definition::Compiled;
use super::model::{CollectionView, Definition};
use crate::ports::Ports;

/// How long a snapshot is used without asking the store again.
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(1);

/// The snapshots of one process, shared by its threads.
#[derive(Debug, Default)]
pub struct Shared {
    snapshots: RwLock<HashMap<String, Snapshot>>,
    /// How many changes this process has made.
    changes: AtomicU64,
}

#[derive(Clone, Debug)]
struct Snapshot {
    compiled: Arc<Compiled>,
    checked_at: Timestamp,
}

/// Finds definitions.
#[derive(Clone, Debug)]
pub struct Definitions {
    stored: Collection<Definition>,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

impl Definitions {
    pub(crate) fn new(ports: &Ports, shared: Arc<Shared>) -> Self {
        Self { stored: ports.collection(), shared, clock: ports.clock.clone() }
    }

    /// The definition of this collection.
    ///
    /// # Errors
    /// `not_found` when there is none.
    pub(crate) async fn get(&self, name: &str) -> Result<Arc<Compiled>> {
        let now = self.clock.now();
        let known = {
            let snapshots = self.shared.snapshots.read().unwrap_or_else(PoisonError::into_inner);
            snapshots.get(name).cloned()
        };
        match known {
            Some(known) if now.since(known.checked_at) < FRESH_FOR => Ok(known.compiled),
            known => self.refresh(name, known.map(|known| known.compiled), now).await,
        }
    }

    async fn refresh(
        &self,
        name: &str,
        known: Option<Arc<Compiled>>,
        now: Timestamp,
    ) -> Result<Arc<Compiled>> {
        let found = match outrigger_kernel::id::is_valid_name(name) {
            true => self.stored.find(name).await?,
            false => None,
        };
        let Some(found) = found else {
            self.forget(name);
            return Err(Error::not_found(Definition::NAME));
        };
        let compiled = match known {
            Some(known) if is_same(&known, &found) => known,
            _ => Arc::new(compile(found)?),
        };
        let snapshot = Snapshot { compiled: compiled.clone(), checked_at: now };
        let mut snapshots = self.shared.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        snapshots.insert(name.to_owned(), snapshot);
        Ok(compiled)
    }

    /// Drops the snapshot, after a change of this process.
    pub(crate) fn changed(&self, name: &str) {
        self.forget(name);
        self.shared.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// How many changes this process has made: what was derived from all definitions before the
    /// last one is out of date.
    pub fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::SeqCst)
    }

    fn forget(&self, name: &str) {
        self.shared.snapshots.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The stored definition, if there is one.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Stored<Definition>>> {
        self.stored.find(name).await
    }

    /// The store's collection of definitions.
    pub(crate) fn stored(&self) -> &Collection<Definition> {
        &self.stored
    }

    /// A page of all collections by name.
    pub(crate) async fn page(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<CollectionView>, Option<Position>)> {
        let (found, next) =
            self.stored.list(Order::Id, index_value::all(), false, after, limit).await?;
        let views = found.into_iter().map(|f| Ok(compile(f)?.view())).collect::<Result<_>>()?;
        Ok((views, next))
    }

    /// All collections, for the API document.
    pub async fn all(&self) -> Result<Vec<CollectionView>> {
        Ok(self.page(None, limits::COLLECTIONS_MAX).await?.0)
    }
}

pub(crate) fn compile(stored: Stored<Definition>) -> Result<Compiled> {
    Compiled::new(&stored.id, stored.version, stored.value)
}

/// Versions start again when a collection is deleted and made again; generations do not.
fn is_same(known: &Compiled, found: &Stored<Definition>) -> bool {
    known.version == found.version && known.definition.generation == found.value.generation
}
