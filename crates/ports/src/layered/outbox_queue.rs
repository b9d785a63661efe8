//! A queue beside the store, whose tasks can be part of a batch all the same.
//!
//! A task that is to be committed with a batch is first a small document of the same batch, in the
//! outbox. Right after the commit it is passed on to the queue and the document deleted. Whoever
//! tends the queue passes on what somebody left behind: enqueuing is idempotent by the task's id, so
//! any number of processes may do it at the same time, and a crash at any point costs nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::{Clock, Timestamp, limits};

use crate::index_value;
use crate::queue::{
    Beat, Claim, Enqueued, Heartbeat, Leased, Queue, QueueError, Settlement, Task, Tended, bounds,
};
use crate::store::{
    Batch, Entry, Found, Key, Order, Precondition, Query, Store, StoreError, Write,
};

/// The outbox.
pub const COLLECTION: &str = "sys.outbox";
const BY_TIME: &str = "time";
/// So old a document is before the sweep takes it: whoever committed it is likely to be done.
const GRACE: Duration = Duration::from_secs(3);
/// Documents that one call of [`Queue::tend`] passes on.
const SWEEP_MAX: usize = 10 * limits::TASKS_MAX;

/// `inner`, with an outbox in `store`.
#[derive(Debug)]
pub struct OutboxQueue {
    inner: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl OutboxQueue {
    /// Tasks that are staged for `inner` are kept in `store` until `inner` has them.
    pub fn new(inner: Arc<dyn Queue>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, store, clock }
    }

    /// The queue has these tasks: their documents can go. What is left is swept later.
    async fn clear(&self, ids: &[String]) {
        for ids in ids.chunks(limits::BATCH_MAX) {
            let delete = |id: &String| Write::Delete {
                key: Key::new(COLLECTION, id),
                precondition: Precondition::Any,
            };
            if let Err(error) = self.store.commit(Batch::of(ids.iter().map(delete))).await {
                tracing::debug!(%error, "outbox documents that were passed on could not be deleted");
                return;
            }
        }
    }

    /// Passes on what was left behind; returns how many there were.
    async fn sweep(&self) -> Result<usize, QueueError> {
        let before = self.clock.now().minus(GRACE);
        let mut end = Vec::new();
        index_value::time(&mut end, before);
        let mut swept = 0;
        let mut after = None;
        while swept < SWEEP_MAX {
            let range = (std::ops::Bound::Unbounded, std::ops::Bound::Included(end.clone()));
            let query = Query {
                collection: COLLECTION,
                order: Order::Index(BY_TIME),
                range,
                descending: false,
                after: after.take(),
                limit: limits::TASKS_MAX,
                may_lag: false,
            };
            let found = self.store.query(&query).await.map_err(of_store)?;
            let (ids, tasks) = tasks_of(&found);
            self.inner.committed(tasks).await?;
            self.clear(&ids).await;
            swept += found.len();
            if found.len() < limits::TASKS_MAX {
                break;
            }
            after = found.into_iter().next_back().map(|found| found.position);
        }
        Ok(swept)
    }
}

/// The tasks in these documents, and the ids of the documents; what is no task is only deleted.
fn tasks_of(found: &[Found]) -> (Vec<String>, Vec<Task>) {
    let mut ids = Vec::with_capacity(found.len());
    let mut tasks = Vec::with_capacity(found.len());
    for Found { document, .. } in found {
        match serde_json::from_slice(&document.body) {
            Ok(task) => tasks.push(task),
            // Another version of the program wrote it; it stays until one comes that reads it.
            Err(error) => {
                tracing::error!(%error, id = document.key.id, "an outbox document is no task");
                continue;
            }
        }
        ids.push(document.key.id.clone());
    }
    (ids, tasks)
}

fn of_store(error: StoreError) -> QueueError {
    match error {
        StoreError::Unavailable(_) | StoreError::Timeout => {
            QueueError::Unavailable(Box::new(error))
        }
        StoreError::OutcomeUnknown(_) => QueueError::OutcomeUnknown(Box::new(error)),
        StoreError::Full(_) => QueueError::Full(Box::new(error)),
        _ => QueueError::Internal(Box::new(error)),
    }
}

fn put(task: &Task, now: Timestamp) -> Result<Write, QueueError> {
    let body = serde_json::to_vec(task).map_err(|error| QueueError::Internal(Box::new(error)))?;
    let mut value = Vec::new();
    index_value::time(&mut value, now);
    Ok(Write::Put {
        key: Key::new(COLLECTION, &task.id),
        body: Bytes::from(body),
        entries: vec![Entry { index: BY_TIME.to_owned(), value, unique: false }],
        expires_at: None,
        precondition: Precondition::Any,
    })
}

#[async_trait]
impl Queue for OutboxQueue {
    async fn enqueue(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        self.inner.enqueue(tasks).await
    }

    /// A unique key does not fail the batch here: whether it is taken shows when the task is passed on.
    fn stage(&self, tasks: &[Task]) -> Result<Vec<Write>, QueueError> {
        bounds::check_tasks(tasks)?;
        let now = self.clock.now();
        tasks.iter().map(|task| put(task, now)).collect()
    }

    async fn committed(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        let ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
        let became = self.inner.committed(tasks).await?;
        self.clear(&ids).await;
        Ok(became)
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError> {
        self.inner.claim(claim).await
    }

    async fn wait(&self, queues: &[String], most: Duration) {
        self.inner.wait(queues, most).await;
    }

    async fn heartbeat(
        &self,
        beats: Vec<Heartbeat>,
        lease_for: Duration,
    ) -> Result<Vec<Beat>, QueueError> {
        self.inner.heartbeat(beats, lease_for).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>, QueueError> {
        self.inner.settle(settlements).await
    }

    /// Also sweeps the outbox. When the store is away, the rest is done all the same.
    async fn tend(&self) -> Result<Tended, QueueError> {
        let swept = self.sweep().await;
        let tended = self.inner.tend().await?;
        match swept {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "tasks from the outbox were passed on"),
            Err(error) => tracing::warn!(%error, "the outbox could not be swept"),
        }
        Ok(tended)
    }
}
