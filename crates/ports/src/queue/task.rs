//! A task: what is to be done, and how far it is.

use std::time::Duration;

use outrigger_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What is to be done. Does not change once it is enqueued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// `tsk_…`; who enqueues it chooses it, so that enqueuing it twice is enqueuing it once.
    pub id: String,
    /// Which queue, `[A-Za-z0-9_.-]`, up to [`limits::TASK_NAME_BYTES_MAX`] bytes.
    ///
    /// [`limits::TASK_NAME_BYTES_MAX`]: outrigger_kernel::limits::TASK_NAME_BYTES_MAX
    pub queue: String,
    /// What kind of work, such as `email.send`; the same alphabet and bound.
    pub kind: String,
    /// What the job is given: JSON.
    pub payload: Box<RawValue>,
    /// The payload is encrypted: a JSON string.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// From 0 to 9; greater goes first.
    pub priority: u8,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// While a task of this kind with this key is not finished, no other is enqueued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    /// So often it is tried in all.
    pub max_attempts: u32,
    /// One attempt may take this long, in milliseconds.
    pub timeout_ms: u64,
    /// The pause before the second attempt, in milliseconds; each further one is twice as long.
    pub backoff_ms: u64,
    /// The longest pause between two attempts, in milliseconds.
    pub backoff_max_ms: u64,
    /// How long it can be looked up once it is finished, in seconds.
    pub retention_s: u64,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Who enqueued it, `usr_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The `traceparent` (W3C Trace Context) of what caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Task {
    /// How long one attempt may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// How long it is kept once it is finished.
    pub fn retention(&self) -> Duration {
        Duration::from_secs(self.retention_s)
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for its time: the first one, or that of its next attempt.
    Scheduled,
    /// Waits for a worker.
    Queued,
    /// A worker has a lease on it.
    Running,
    /// Done.
    Succeeded,
    /// Failed in a way that another attempt would not mend.
    Failed,
    /// Was cancelled.
    Cancelled,
    /// Has used up its attempts, or killed its workers; kept until somebody replays it.
    Dead,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Dead,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Dead)
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable name for programs, such as `timeout`, `panicked`, `worker_lost`.
    pub code: String,
    /// What went wrong.
    pub message: String,
}

/// One attempt that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// Which worker.
    pub worker: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, or its lease did.
    pub ended_at: Timestamp,
    /// Why it failed.
    pub error: Failure,
}

/// A task and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskRecord {
    /// What is to be done.
    pub task: Task,
    /// How far it is.
    pub status: Status,
    /// Attempts that have begun.
    pub attempts: u32,
    /// Workers that died while they ran it.
    pub crashes: u32,
    /// While it is scheduled: when it is due.
    pub run_at: Timestamp,
    /// What the job last said of its progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Box<RawValue>>,
    /// What the job returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When the last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it reached its last status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The attempts that failed, the last ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Attempt>,
    /// Somebody wants it to stop; its worker will be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
}

impl TaskRecord {
    /// A task that nobody has touched.
    pub fn new(task: Task, now: Timestamp) -> Self {
        let status = if task.run_at > now { Status::Scheduled } else { Status::Queued };
        Self {
            run_at: task.run_at,
            task,
            status,
            attempts: 0,
            crashes: 0,
            progress: None,
            result: None,
            error: None,
            started_at: None,
            finished_at: None,
            history: Vec::new(),
            cancel_requested: false,
        }
    }
}
