//! `noop`: a task that does nothing, to try a queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use crate::tasks::{Job, JobResult, TaskCtx};

/// Does nothing, for as long as it is told.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noop {
    /// Waits for so many milliseconds.
    #[serde(default)]
    #[schemars(range(min = 0, max = 60_000))]
    pub sleep_ms: u64,
    /// Is returned as the result.
    #[serde(default)]
    pub echo: Option<Value>,
}

impl Job for Noop {
    const KIND: &'static str = "noop";
    const DESCRIPTION: &'static str = "does nothing, to try a queue";
    type Output = Option<Value>;

    async fn run(self, task: &TaskCtx) -> JobResult<Option<Value>> {
        if self.sleep_ms > 0 {
            let mut abort = task.abort.clone();
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(self.sleep_ms)) => {}
                () = abort.requested() => {}
            }
        }
        Ok(self.echo)
    }
}
