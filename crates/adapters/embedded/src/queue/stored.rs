//! A task as it stands in the store: one document in `sys.tasks`.

use bytes::Bytes;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::queue::{DEAD_RETENTION, QueueError, Status, Task, TaskRecord};
use outrigger_ports::store::{Document, Key, Precondition, Write};
use serde::{Deserialize, Serialize};

use super::turn;

/// Where tasks are.
pub(super) const TASKS: &str = "sys.tasks";

/// A task, how far it is, and who has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    /// What others see.
    pub(super) record: TaskRecord,
    /// How often it was claimed.
    #[serde(default)]
    pub(super) claims: u32,
    /// Since when it is due, or will be.
    pub(super) due: Timestamp,
    /// It came back and goes before others of its priority.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) returned: bool,
    /// While it runs: by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<Held>,
}

/// A lease that was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    /// Its token.
    pub(super) token: String,
    /// Whose it is.
    pub(super) worker: String,
    /// When it ends.
    pub(super) until: Timestamp,
    /// The kind may run only so often at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) limited: bool,
}

impl Stored {
    /// A task that nobody has touched. What was to run in the past is due since it was made.
    pub(super) fn new(task: Task, now: Timestamp) -> Self {
        let due = task.run_at.max(task.created_at);
        Self { record: TaskRecord::new(task, now), claims: 0, due, returned: false, lease: None }
    }

    /// Reads a document.
    pub(super) fn of(document: &Document) -> Result<Self, QueueError> {
        serde_json::from_slice(&document.body).map_err(|error| {
            let what = format!("task {} is damaged: {error}", document.key.id);
            QueueError::Internal(what.into())
        })
    }

    /// Whether this lease still holds.
    pub(super) fn holds(&self, token: &str, now: Timestamp) -> bool {
        self.record.status == Status::Running
            && self.lease.as_ref().is_some_and(|held| held.token == token && held.until > now)
    }

    /// From when on it is forgotten.
    fn expires_at(&self) -> Option<Timestamp> {
        let record = &self.record;
        if !record.status.is_final() {
            return None;
        }
        let kept = match record.status {
            Status::Dead => DEAD_RETENTION,
            _ => record.task.retention(),
        };
        record.finished_at.map(|at| at.plus(kept))
    }

    /// The JSON, with as much of the history as there is room for.
    fn body(&mut self) -> Result<Bytes, QueueError> {
        loop {
            let body = serde_json::to_vec(self).map_err(|error| {
                QueueError::Internal(format!("a task cannot be written: {error}").into())
            })?;
            if body.len() <= limits::DOCUMENT_BYTES_MAX || self.record.history.is_empty() {
                return Ok(body.into());
            }
            self.record.history.remove(0);
        }
    }

    /// The write that makes the document so.
    pub(super) fn put(&mut self, precondition: Precondition) -> Result<Write, QueueError> {
        Ok(Write::Put {
            body: self.body()?,
            key: key(&self.record.task.id),
            entries: turn::entries(self),
            expires_at: self.expires_at(),
            precondition,
        })
    }
}

/// The key of a task.
pub(super) fn key(id: &str) -> Key {
    Key::new(TASKS, id)
}
