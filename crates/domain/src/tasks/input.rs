//! What may be said of a task that is to be enqueued.

use std::time::Duration;

use outrigger_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A task as a client asks for it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskInput {
    /// Which kind of work; `/openapi.json` lists the kinds with the schemas of their payloads.
    pub kind: String,
    /// What the job is given.
    #[serde(default)]
    pub payload: Value,
    /// Another queue than the kind's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// From 0 to 9; greater goes first; 5 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9))]
    pub priority: Option<u8>,
    /// Not before so many seconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub delay_s: Option<u64>,
    /// Not before this instant, RFC 3339; instead of `delay_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub run_at: Option<Timestamp>,
    /// While a task of this kind with this key is not finished, no other is enqueued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub unique_key: Option<String>,
    /// So often it is tried in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: Option<u32>,
    /// One attempt may take so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_s: Option<u64>,
}

impl TaskInput {
    /// A task of this kind, with everything else as the kind has it.
    pub fn of(kind: impl Into<String>, payload: Value) -> Self {
        Self {
            kind: kind.into(),
            payload,
            queue: None,
            priority: None,
            delay_s: None,
            run_at: None,
            unique_key: None,
            max_attempts: None,
            timeout_s: None,
        }
    }
}

/// A job that is to run, with what may be said of it; for code.
#[derive(Clone, Debug)]
pub struct New<J> {
    /// The payload.
    pub job: J,
    /// From 0 to 9; greater goes first.
    pub priority: Option<u8>,
    /// Not before so long from now.
    pub delay: Duration,
}

impl<J> New<J> {
    /// To be run as soon as possible.
    pub fn now(job: J) -> Self {
        Self { job, priority: None, delay: Duration::ZERO }
    }

    /// To be run in this time.
    pub fn after(job: J, delay: Duration) -> Self {
        Self { job, priority: None, delay }
    }
}
