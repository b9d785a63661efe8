//! What the tests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_conformance::store::Opened;
use outrigger_kernel::{Clock, SystemClock, SystemRandom};
use outrigger_mongodb::{MongoOptions, MongoStore};
use outrigger_ports::store::{Batch, MigrateMode, Precondition, Store, StoreError};
use tokio::time::sleep;

pub(crate) use outrigger_conformance::store::things::{by_status, create, key, put};

pub(crate) const APPLY: MigrateMode = MigrateMode::Apply { wait: Duration::from_secs(120) };

/// For tests in which it is well: the emulator serves many at once, on a machine that may be busy.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// A handle to the database that gives up after this time.
pub(crate) async fn connect(url: &str, clock: Arc<dyn Clock>, patience: Duration) -> MongoStore {
    let options = MongoOptions { patience, ..MongoOptions::at(url) };
    MongoStore::connect(&options, clock, Arc::new(SystemRandom)).await.unwrap()
}

/// Two patient handles to a new database, as of two processes.
pub(crate) async fn opened(url: &str, clock: Arc<dyn Clock>) -> Opened {
    let mut handles: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        handles.push(Arc::new(connect(url, Arc::clone(&clock), PATIENT).await));
    }
    handles[0].migrate(APPLY).await.unwrap();
    Opened::many(handles, ())
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Creates two documents in one batch.
pub(crate) async fn create_two(store: &dyn Store, id: &str) -> Result<Vec<u64>, StoreError> {
    let one = |part: &str| put(&format!("{id}{part}"), "new", Precondition::Absent);
    store.commit(Batch::of([one(""), one("+")])).await
}

/// Writes until a write is done.
pub(crate) async fn until_back(store: &dyn Store, id: &str) {
    let started = Instant::now();
    let mut attempt = 0;
    while create(store, &format!("{id}-{attempt}")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "the store has not come back");
        attempt += 1;
        sleep(Duration::from_millis(20)).await;
    }
}

/// What became of commits.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) done: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) unknown: Vec<String>,
}

impl Outcomes {
    /// Creates one document, or two in a batch.
    pub(crate) async fn create(&mut self, store: &dyn Store, id: String, two: bool) {
        let result = match two {
            true => create_two(store, &id).await,
            false => create(store, &id).await,
        };
        match result {
            Ok(versions) => {
                assert!(versions.iter().all(|version| *version == 1), "{versions:?}");
                self.done.push(id);
            }
            Err(StoreError::Unavailable(_) | StoreError::Timeout) => self.failed.push(id),
            Err(StoreError::OutcomeUnknown(_)) => self.unknown.push(id),
            Err(other) => panic!("{id}: {other:?}"),
        }
    }

    /// Every acknowledged document is there, and none that was reported as not written; of a batch,
    /// both or neither.
    pub(crate) async fn check(&self, store: &dyn Store) {
        for (ids, expected) in
            [(&self.done, Some(true)), (&self.failed, Some(false)), (&self.unknown, None)]
        {
            for id in ids {
                let there = store.get(&key(id)).await.unwrap().is_some();
                assert!(expected.is_none_or(|expected| expected == there), "{id}: {there}");
                if is_two(id) {
                    let other = store.get(&key(&format!("{id}+"))).await.unwrap().is_some();
                    assert_eq!(there, other, "{id}: half of a batch");
                }
            }
        }
    }
}

/// Whether it names a batch of two.
pub(crate) fn is_two(id: &str) -> bool {
    id.starts_with("two")
}
