//! A task as clients see it.

use outrigger_kernel::Timestamp;
use outrigger_ports::queue::{Failure, Status, TaskRecord};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A task.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Task")]
pub struct TaskView {
    /// `tsk_…`
    pub id: String,
    /// Which kind of work.
    pub kind: String,
    /// In which queue.
    pub queue: String,
    /// scheduled, queued, running, succeeded, failed, cancelled or dead.
    #[schemars(with = "StatusWord")]
    pub status: Status,
    /// From 0 to 9; greater goes first.
    pub priority: u8,
    /// Attempts that have begun.
    pub attempts: u32,
    /// So often it is tried in all.
    pub max_attempts: u32,
    /// What the job was given; null when it is kept encrypted.
    #[schemars(with = "Option<Value>")]
    pub payload: Option<Box<RawValue>>,
    /// What the job last said of its progress.
    #[schemars(with = "Option<Value>")]
    pub progress: Option<Box<RawValue>>,
    /// What the job returned.
    #[schemars(with = "Option<Value>")]
    pub result: Option<Box<RawValue>>,
    /// Why the last attempt failed.
    #[schemars(with = "Option<FailureView>")]
    pub error: Option<Failure>,
    /// When it is due.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub run_at: Timestamp,
    /// When it was enqueued.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// Who enqueued it; null for Outrigger itself.
    pub created_by: Option<String>,
    /// When the last attempt began.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// When it reached its last status.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished_at: Option<Timestamp>,
    /// The `traceparent` (W3C Trace Context) of the request that enqueued it.
    pub trace: Option<String>,
    /// The attempts that failed, at most the last ten.
    pub history: Vec<AttemptView>,
}

/// One attempt that failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskAttempt")]
pub struct AttemptView {
    /// Counted from 1.
    pub number: u32,
    /// Which worker.
    pub worker: String,
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When it ended.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ended_at: Timestamp,
    /// Why it failed.
    #[schemars(with = "FailureView")]
    pub error: Failure,
}

/// Why an attempt failed.
#[derive(JsonSchema)]
#[schemars(rename = "TaskFailure")]
#[expect(dead_code, reason = "describes the port's Failure")]
struct FailureView {
    /// A stable name for programs.
    code: String,
    /// What went wrong.
    message: String,
}

/// How far a task is.
#[derive(JsonSchema)]
#[schemars(rename = "TaskStatus", rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the port's Status")]
enum StatusWord {
    Scheduled,
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Dead,
}

/// A page of tasks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TaskPage {
    /// The newest first. Fewer than asked for, even none, when few of very many fit the filter.
    pub items: Vec<TaskView>,
    /// Where the next page starts; null on the last one, and only there.
    pub next_cursor: Option<String>,
}

impl TaskView {
    /// What clients see of this task.
    pub fn of(record: &TaskRecord) -> Self {
        let task = &record.task;
        let attempts = record.history.iter().map(|attempt| AttemptView {
            number: attempt.number,
            worker: attempt.worker.clone(),
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            error: attempt.error.clone(),
        });
        Self {
            id: task.id.clone(),
            kind: task.kind.clone(),
            queue: task.queue.clone(),
            status: record.status,
            priority: task.priority,
            attempts: record.attempts,
            max_attempts: task.max_attempts,
            payload: (!task.sealed).then(|| task.payload.clone()),
            progress: record.progress.clone(),
            result: record.result.clone(),
            error: record.error.clone(),
            run_at: record.run_at,
            created_at: task.created_at,
            created_by: task.created_by.clone(),
            started_at: record.started_at,
            finished_at: record.finished_at,
            trace: task.trace.clone(),
            history: attempts.collect(),
        }
    }
}
