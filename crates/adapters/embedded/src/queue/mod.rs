//! The queue on any store: at-least-once with leases, on batches with expected versions.
//!
//! A task is one document, so what puts it into a batch of the store enqueues it with whatever else
//! is in the batch. Everything that happens to it is one put that expects the version that was read;
//! of two who want the same, one is refused and looks again. The index entries of `turn.rs` are the
//! only order there is: nothing can come apart.
//!
//! Final tasks expire with their retention, and the store forgets them as it does all that expires.

mod board;
mod change;
mod claim;
mod crowd;
mod enqueue;
mod fault;
mod lane;
mod levels;
mod limited;
mod names;
mod stored;
mod tend;
mod turn;
mod update;
mod wakeups;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::{Clock, Random};
use outrigger_ports::probe::Probed;
use outrigger_ports::queue::{
    Beat, Claim, Enqueued, Heartbeat, Leased, Listed, Queue, QueueError, QueueState, Settlement,
    Task, TaskBoard, TaskFilter, TaskRecord, Tended, bounds,
};
use outrigger_ports::store::{Order, Query, Store, Write};

pub use wakeups::Wakeups;

/// The pause between two looks at the store while nothing is there.
const POLL: Duration = Duration::from_millis(200);

/// A queue on a store; see the module. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct StoreQueue {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    wakeups: Wakeups,
    names: Arc<names::Names>,
    seen: Arc<wakeups::Seen>,
    crowd: Arc<crowd::Crowd>,
    /// Claims in vain since the last one that found something.
    idle: Arc<AtomicU32>,
    /// Where the next claim begins among its kinds.
    rotation: Arc<AtomicU32>,
    poll: Duration,
}

impl StoreQueue {
    /// A queue whose tasks are in `store`. Enqueued tasks wake only waiters of this handle and its
    /// clones, see [`StoreQueue::sharing`].
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            store,
            clock,
            random,
            wakeups: Wakeups::default(),
            names: Arc::default(),
            seen: Arc::default(),
            crowd: Arc::default(),
            idle: Arc::default(),
            rotation: Arc::default(),
            poll: POLL,
        }
    }

    /// The same queue, which wakes and is woken by all others with these wake-ups: for the threads
    /// of one process.
    #[must_use]
    pub fn sharing(self, wakeups: Wakeups) -> Self {
        Self { wakeups, ..self }
    }

    /// The same queue, which looks at the store this often while it waits for what other processes
    /// enqueue (default 200 ms; when it finds nothing for long the pause grows to a second).
    #[must_use]
    pub fn polling(self, every: Duration) -> Self {
        Self { poll: every.max(Duration::from_millis(1)), ..self }
    }

    /// A query over tasks.
    fn tasks(
        order: Order<'_>,
        range: outrigger_ports::index_value::Range,
        limit: usize,
    ) -> Query<'_> {
        Query {
            collection: stored::TASKS,
            order,
            range,
            descending: false,
            after: None,
            limit,
            may_lag: false,
        }
    }
}

#[async_trait]
impl Queue for StoreQueue {
    async fn enqueue(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        enqueue::run(self, tasks).await
    }

    fn stage(&self, tasks: &[Task]) -> Result<Vec<Write>, QueueError> {
        enqueue::stage(self, tasks)
    }

    async fn committed(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        enqueue::announce(self, &tasks).await;
        Ok(vec![Enqueued::New; tasks.len()])
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError> {
        claim::run(self, claim).await
    }

    async fn wait(&self, queues: &[String], most: Duration) {
        claim::wait(self, queues, most).await;
    }

    async fn heartbeat(
        &self,
        beats: Vec<Heartbeat>,
        lease_for: Duration,
    ) -> Result<Vec<Beat>, QueueError> {
        bounds::check_beats(&beats, lease_for)?;
        update::heartbeat(self, beats, lease_for).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>, QueueError> {
        bounds::check_settlements(&settlements)?;
        update::settle(self, settlements).await
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        tend::run(self).await
    }
}

#[async_trait]
impl TaskBoard for StoreQueue {
    async fn find(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        board::find(self, id).await
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Listed, QueueError> {
        board::list(self, filter).await
    }

    async fn cancel(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        board::cancel(self, id).await
    }

    async fn replay(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        board::replay(self, id).await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<(), QueueError> {
        bounds::check_name("queue", queue)?;
        names::set_paused(self, queue, paused).await
    }

    /// Of those that are not queued, `most` over all queues are counted.
    async fn queues(&self, most: usize) -> Result<Vec<QueueState>, QueueError> {
        levels::run(self, most).await
    }

    async fn probe(&self) -> Result<Probed, QueueError> {
        self.store.probe().await.map_err(fault::of)
    }
}
