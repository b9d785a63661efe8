//! A task as what a thread works on: its log lines carry its id, and its calls become spans.

use std::sync::Arc;

use outrigger_kernel::TraceParent;
use outrigger_kernel::span::{Closing, Recording, SpanKind, Tracer, Work};
use outrigger_ports::queue::{Outcome, Task};

/// One attempt at a task.
#[derive(Debug)]
pub(super) struct TaskWork {
    id: String,
    kind: String,
    queue: String,
    attempt: u32,
    /// Where it stands: as the task says, or, when traces are collected, its own place.
    pub(super) trace: Option<TraceParent>,
    recording: Option<Arc<Recording>>,
}

impl TaskWork {
    /// An attempt begins.
    pub(super) fn begin(task: &Task, attempt: u32, tracer: Option<&Tracer>) -> Self {
        let enqueued_by = task.trace.as_deref().and_then(TraceParent::parse);
        let position = tracer.map(|tracer| tracer.task(enqueued_by));
        Self {
            id: task.id.clone(),
            kind: task.kind.clone(),
            queue: task.queue.clone(),
            attempt,
            trace: position.as_ref().map(|position| position.trace).or(enqueued_by),
            recording: position.and_then(|position| position.recording),
        }
    }

    /// It has ended so; without an outcome its lease is lost.
    pub(super) fn end(&self, outcome: Option<&Outcome>) {
        let Some(recording) = &self.recording else { return };
        let error = match outcome {
            Some(
                Outcome::Retry { error, .. } | Outcome::Failed { error } | Outcome::Dead { error },
            ) => Some(error.code.clone().into()),
            Some(Outcome::Succeeded { .. } | Outcome::Released | Outcome::Postponed { .. }) => None,
            Some(Outcome::Cancelled) => Some("cancelled".into()),
            None => Some("lease_lost".into()),
        };
        recording.end(Closing {
            name: format!("job.{}", self.kind).into(),
            kind: SpanKind::Consumer,
            was_enqueued: true,
            attributes: vec![
                ("messaging.system", "outrigger".into()),
                ("messaging.operation.type", "process".into()),
                ("messaging.destination.name", self.queue.clone().into()),
                ("messaging.message.id", self.id.clone().into()),
                ("outrigger.task.attempt", i64::from(self.attempt).into()),
            ],
            error,
        });
    }
}

impl Work for TaskWork {
    fn ids(&self, tell: &mut dyn FnMut(&'static str, &str)) {
        // What a task does, it does as the request of this id: so it stands in the audit log too.
        tell("request.id", &self.id);
        tell("task.id", &self.id);
        tell("task.kind", &self.kind);
    }

    fn trace(&self) -> Option<&TraceParent> {
        self.trace.as_ref()
    }

    fn recording(&self) -> Option<&Arc<Recording>> {
        self.recording.as_ref()
    }
}
