//! Records into files and back, piece by piece: memory does not grow with the file.

mod csv;
mod export;
mod import;
mod lines;
mod rows;
mod source;

use outrigger_kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use export::{Export, Exported};
pub(crate) use import::{BadLines, Import, Imported};

use crate::tasks::TaskCtx;

/// Longest line or row of a file, in bytes: a record with its escapes.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// What a record has besides its data, in the order of columns.
const ENVELOPE: [&str; 5] = ["id", "version", "created_at", "updated_at", "created_by"];

/// How records stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A record as JSON on each line, as the API shows it.
    #[default]
    Ndjson,
    /// A row for each record (RFC 4180), after one with the names of the columns.
    Csv,
}

impl Format {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Hears how far it is; an error ends it.
pub(crate) type Told<'a> = &'a (dyn Fn(u64) -> Result<()> + Send + Sync);

/// Tells how far the task is, and ends it when it shall stop.
pub(crate) fn told(task: &TaskCtx, what: &str, count: u64) -> Result<()> {
    if task.abort.is_requested() {
        return Err(Error::conflict("stopped", "the task was told to stop"));
    }
    task.progress.say(&json!({what: count}))
}
