//! The queue port: tasks, and the leases under which workers run them.
//!
//! # What every queue promises
//!
//! 1. **At least once.** A task that was enqueued runs until it has succeeded, failed for good, was
//!    cancelled, or is dead. A worker that dies loses its leases: when one has run out,
//!    [`Queue::tend`] gives the task to the next worker.
//! 2. **Fencing.** Each claim gives a lease with a token of its own. From the instant that it has
//!    run out, was ended, or its task was claimed again, the token is refused: a late worker changes
//!    nothing.
//! 3. **Order.** Of the tasks of one queue and kind that are due, those with the greater priority
//!    are claimed first, and among equals those that became due first. Tasks that come back (a lost
//!    worker, a released lease) are claimed before others of their priority. Kinds are served in
//!    turn, so that no kind keeps another waiting for ever.
//! 4. **Once in a queue.** Enqueuing a task with the id of one that is known changes nothing, nor
//!    does one whose unique key another task of its kind has that is not finished.
//! 5. **Bounded.** A finished task is forgotten after its retention, a dead one after
//!    [`DEAD_RETENTION`]; nothing grows for ever.
//! 6. **Attempts.** A claim counts as an attempt, a released or postponed lease takes it back. A lost worker counts
//!    as a crash too; with [`limits::TASK_CRASHES_MAX`] crashes, or no attempt left, the task is dead.
//! 7. **Cancelled for good.** A task whose cancelling was asked for does not run again: what
//!    would bring it back (a retry, a release, a lost worker) makes it cancelled.
//!
//! Times are the queue's clock. No call gives more than [`limits::TASKS_MAX`] tasks or takes more.
//!
//! [`limits::TASK_CRASHES_MAX`]: outrigger_kernel::limits::TASK_CRASHES_MAX
//! [`limits::TASKS_MAX`]: outrigger_kernel::limits::TASKS_MAX

pub mod bounds;
mod task;

use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::{Error, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::probe::Probed;
use crate::store::{Cause, Write};

pub use task::{Attempt, Failure, Status, Task, TaskRecord};

/// How long dead tasks are kept for a replay.
pub const DEAD_RETENTION: Duration = Duration::from_secs(14 * 86_400);

/// Code of the error of a committed task that was not enqueued because its unique key is taken.
pub const NOT_UNIQUE: &str = "not_unique";

/// What became of a task that was to be enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in the queue now.
    New,
    /// A task with this id is known already; it was left as it is.
    Known,
    /// Another task of the kind has the unique key and is not finished: its id.
    Duplicate {
        /// The id of the other task.
        of: String,
    },
}

/// What a worker runs of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindLimits {
    /// Which kind.
    pub kind: String,
    /// So many of it may run at once, on all workers together.
    pub concurrency: Option<u32>,
    /// So many of it may start in each period, on all workers together, evenly spread (GCRA).
    pub rate: Option<(u32, Duration)>,
}

impl KindLimits {
    /// Without limits.
    pub fn none(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), concurrency: None, rate: None }
    }
}

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// Of this queue.
    pub queue: &'a str,
    /// Of these kinds.
    pub kinds: &'a [KindLimits],
    /// At most so many, `1..=TASKS_MAX`.
    pub limit: usize,
    /// For this long, at least a second; then they must have been extended.
    pub lease_for: Duration,
    /// The name of the worker, up to 64 bytes; no two workers have the same.
    pub worker: &'a str,
}

/// The right to run a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// Whose.
    pub task_id: String,
    /// Proves it; only the queue understands it. Up to 200 bytes of `[A-Za-z0-9_.:-]`.
    pub token: String,
}

/// A task that a worker may run.
#[derive(Clone, Debug)]
pub struct Leased {
    /// What is to be done.
    pub task: Task,
    /// The right to do it.
    pub lease: Lease,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Until when, unless it is extended.
    pub until: Timestamp,
}

/// A sign of life.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Of this lease.
    pub lease: Lease,
    /// What the job says of its progress, if it is something new: JSON.
    pub progress: Option<Box<RawValue>>,
}

/// What a sign of life is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The lease holds until the time that was asked for.
    Held,
    /// It holds, and somebody wants the task to stop.
    Cancelled,
    /// The lease has ended; whatever the worker does for this task is in vain.
    Lost,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The job is done.
    Succeeded {
        /// What it returned: JSON.
        result: Option<Box<RawValue>>,
    },
    /// The job failed, and is tried again from this instant on.
    Retry {
        /// Why.
        error: Failure,
        /// When.
        at: Timestamp,
    },
    /// The job failed for good.
    Failed {
        /// Why.
        error: Failure,
    },
    /// The job failed and has no attempt left.
    Dead {
        /// Why.
        error: Failure,
    },
    /// The job was told to stop, and has.
    Cancelled,
    /// The worker gives it back untouched; it does not count as an attempt.
    Released,
    /// The same, but it is not claimed again before this instant.
    Postponed {
        /// When.
        at: Timestamp,
    },
}

/// How an attempt ended, and the right to say so.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Of this lease.
    pub lease: Lease,
    /// How.
    pub outcome: Outcome,
}

/// What tending has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Scheduled tasks that are due now.
    pub promoted: usize,
    /// Tasks whose worker was lost, that wait for another one now.
    pub recovered: usize,
    /// Tasks whose worker was lost and that are dead now.
    pub quarantined: usize,
    /// Finished tasks that were forgotten.
    pub forgotten: usize,
}

/// Which tasks to list. The newest come first.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only with this status.
    pub status: Option<Status>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this queue.
    pub queue: Option<String>,
    /// Only what comes after this task in the list.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Tasks that one call of [`TaskBoard::list`] looks at, about; those that do not fit the filter count.
pub const LOOKED_AT_MAX: usize = 2_000;

/// A part of a list of tasks.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// The tasks that were found: none at all when few of very many fit the filter.
    pub tasks: Vec<TaskRecord>,
    /// The list goes on after this task, which need not be one of those that were found.
    pub next: Option<String>,
}

impl Listed {
    /// The first `limit` of the tasks that were found, when all up to `looked_at` were looked at, or
    /// all that there are.
    pub fn of(mut tasks: Vec<TaskRecord>, limit: usize, looked_at: Option<String>) -> Self {
        let cut = tasks.len() > limit;
        tasks.truncate(limit);
        let last = tasks.last().filter(|_| cut).map(|last| last.task.id.clone());
        Self { tasks, next: last.or(looked_at) }
    }
}

/// How full a queue is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueState {
    /// Its name.
    pub name: String,
    /// Nothing is claimed from it.
    pub paused: bool,
    /// Tasks that are due, as far as they were counted.
    pub queued: u64,
    /// Tasks that wait for their time, likewise.
    pub scheduled: u64,
    /// Tasks that are running.
    pub running: u64,
    /// Dead tasks, likewise.
    pub dead: u64,
    /// When the task that waits longest became due.
    pub oldest: Option<Timestamp>,
}

/// Why a queue did not do what was asked. Nothing was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Over a bound of the port.
    #[error("{0}")]
    Bound(String),
    /// The queue's backend is away; try again.
    #[error("the queue is not available: {0}")]
    Unavailable(#[source] Cause),
    /// It may have happened: the connection broke before the answer.
    #[error("the outcome is not known: {0}")]
    OutcomeUnknown(#[source] Cause),
    /// The queue's backend has no room.
    #[error("the queue is full: {0}")]
    Full(#[source] Cause),
    /// A fault of the adapter's own.
    #[error("the queue failed: {0}")]
    Internal(#[source] Cause),
}

impl From<QueueError> for Error {
    fn from(error: QueueError) -> Self {
        use outrigger_kernel::ErrorKind;
        match error {
            QueueError::Bound(ref what) => {
                Self::new(ErrorKind::TooLarge, "too_large", what.clone())
            }
            QueueError::Unavailable(_) => {
                Self::unavailable("queue_unavailable", "the task queue is not available")
            }
            QueueError::Full(_) => {
                Self::unavailable("queue_full", "the task queue has no room for more")
            }
            QueueError::OutcomeUnknown(_) => Self::new(
                ErrorKind::OutcomeUnknown,
                "outcome_unknown",
                "the connection to the task queue broke; the change may have taken effect",
            ),
            QueueError::Internal(_) => return Self::internal(error),
        }
        .caused_by(error)
    }
}

/// Tasks on their way, as workers and those who enqueue see them. See the module for the promises.
#[async_trait]
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// Puts tasks into their queues; says of each what became of it, in their order.
    async fn enqueue(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError>;

    /// The writes that put these tasks into a batch of the store, to be committed with what causes
    /// them: all or nothing. Afterwards call [`Queue::committed`]. Where the store is the queue, a
    /// batch whose unique entry is taken fails as a whole.
    ///
    /// # Errors
    /// [`QueueError::Bound`].
    fn stage(&self, tasks: &[Task]) -> Result<Vec<Write>, QueueError>;

    /// A batch with these tasks was committed: they are passed on at once; says of each what became of
    /// it. When that fails, or is never called, [`Queue::tend`] finds them. In a queue beside the
    /// store a unique key can only be looked at now: a task whose key is taken is kept as cancelled,
    /// with the error [`NOT_UNIQUE`].
    async fn committed(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError>;

    /// Leases on tasks that are due, in their order; empty when there are none, or the queue is
    /// paused.
    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError>;

    /// Waits until [`Queue::claim`] may find something in one of these queues, at most for
    /// `most`. May return early.
    async fn wait(&self, queues: &[String], most: Duration);

    /// Extends leases to `lease_for` from now; answers each, in their order.
    async fn heartbeat(
        &self,
        beats: Vec<Heartbeat>,
        lease_for: Duration,
    ) -> Result<Vec<Beat>, QueueError>;

    /// Ends leases; says of each whether it still held, in their order. What did not hold changes
    /// nothing.
    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>, QueueError>;

    /// Does what time demands: promotes what is due, recovers what lost its worker, passes on what
    /// was committed and not passed on, forgets what is old. Any number of processes may call it,
    /// each about once a second; one call does a bounded amount of work.
    async fn tend(&self) -> Result<Tended, QueueError>;
}

/// The same tasks, as those see them who look after the queue.
#[async_trait]
pub trait TaskBoard: Send + Sync + std::fmt::Debug {
    /// The task, while it is known.
    async fn find(&self, id: &str) -> Result<Option<TaskRecord>, QueueError>;

    /// Tasks, the newest first. One call does a bounded amount of work, so there may be more also when
    /// fewer were found than asked for.
    async fn list(&self, filter: &TaskFilter) -> Result<Listed, QueueError>;

    /// Cancels the task: at once when it waits, else its worker is told with its next sign of
    /// life. `None` when it is not known; a finished one is left as it is.
    async fn cancel(&self, id: &str) -> Result<Option<TaskRecord>, QueueError>;

    /// Lets a failed, cancelled or dead task begin again, with all its attempts; others are left as
    /// they are. `None` when it is not known.
    async fn replay(&self, id: &str) -> Result<Option<TaskRecord>, QueueError>;

    /// Lets nothing be claimed from the queue, or lets it again; a queue that was never seen too.
    async fn set_paused(&self, queue: &str, paused: bool) -> Result<(), QueueError>;

    /// All queues that are known, by name. An adapter that has to read tasks to count them stops at
    /// `most` of a state.
    async fn queues(&self, most: usize) -> Result<Vec<QueueState>, QueueError>;

    /// Asks the backend something real.
    async fn probe(&self) -> Result<Probed, QueueError>;
}
