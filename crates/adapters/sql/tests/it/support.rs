//! What the tests of both databases share.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_conformance::queue::{Instance, Opened};
use outrigger_embedded::StoreQueue;
use outrigger_kernel::{Clock, ManualClock, SystemClock, SystemRandom, Timestamp};
use outrigger_ports::store::{
    Batch, Entry, Key, MigrateMode, Precondition, Store, StoreError, Write,
};

pub(crate) const APPLY: MigrateMode = MigrateMode::Apply { wait: Duration::from_secs(60) };

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(crate) fn key(id: &str) -> Key {
    Key::new("rec.things", id)
}

/// A put of a small body.
pub(crate) fn put(id: &str, precondition: Precondition) -> Write {
    put_with(id, precondition, Vec::new())
}

/// A put with entries.
pub(crate) fn put_with(id: &str, precondition: Precondition, entries: Vec<Entry>) -> Write {
    let body = Bytes::from(format!("{{\"id\":\"{id}\"}}"));
    Write::Put { key: key(id), body, entries, expires_at: None, precondition }
}

/// Creates a document.
pub(crate) async fn create(store: &dyn Store, id: &str) -> Result<Vec<u64>, StoreError> {
    store.commit(Batch::of([put(id, Precondition::Absent)])).await
}

/// Runs a future on a runtime like that of a core: one thread.
pub(crate) fn on_one_core<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(300), test).await })
        .expect("the test ends within five minutes")
}

/// Where the clock of a queue's test stands at first.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// A queue on each of the stores, as of processes that share nothing else.
pub(crate) fn queues(
    stores: &[Arc<dyn Store>],
    clock: Arc<ManualClock>,
    keep: impl Any + Send + Sync,
) -> Opened {
    let queue = |store: &Arc<dyn Store>| {
        let queue = StoreQueue::new(store.clone(), clock.clone(), Arc::new(SystemRandom));
        Instance::of(queue.polling(Duration::from_millis(5)))
    };
    Opened {
        instances: stores.iter().map(queue).collect(),
        store: stores[0].clone(),
        clock: Some(clock),
        keep: Box::new(keep),
    }
}
