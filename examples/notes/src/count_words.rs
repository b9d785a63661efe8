//! `notes.count_words`: counts the words of a note and writes them into it.

use std::time::Duration;

use outrigger::records::Preconditions;
use outrigger::tasks::Options;
use outrigger::{Job, JobError, JobResult, JsonSchema, TaskCtx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is to be counted.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountWords {
    /// The note's id.
    pub(crate) note: String,
}

impl Job for CountWords {
    const KIND: &'static str = "notes.count_words";
    const DESCRIPTION: &'static str = "counts the words of a note and writes them into it";
    type Output = usize;

    fn options() -> Options {
        Options { max_attempts: 3, timeout: Duration::from_secs(10), ..Options::default() }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<usize> {
        let records = &task.services.records;
        let found = records.read(&task.ctx, "notes", &self.note).await?;
        let note: Value = serde_json::from_slice(&found.json)
            .map_err(|error| JobError::fatal("not_json", error.to_string()))?;
        let words = note["data"]["text"].as_str().unwrap_or_default().split_whitespace().count();
        let patch = json!({"words": words}).to_string();
        let anyhow = Preconditions::default();
        records.patch(&task.ctx, "notes", &self.note, patch.as_bytes(), &anyhow).await?;
        Ok(words)
    }
}
