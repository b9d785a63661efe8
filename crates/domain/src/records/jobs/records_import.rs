//! `records.import`: the records of a file into a collection.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::transfer::{BadLines, Format, Import, Imported, told};
use crate::tasks::{Job, JobError, JobResult, Options, TaskCtx};

/// Creates or replaces a record for each line of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRecords {
    /// The collection.
    #[schemars(length(min = 1, max = 64))]
    pub collection: String,
    /// How the file is written; `ndjson` unless said.
    #[serde(default)]
    pub format: Format,
    /// The key of the file.
    #[schemars(length(min = 1, max = 255))]
    pub from: String,
    /// What a bad line does; `refuse` unless said.
    #[serde(default)]
    pub bad_lines: BadLines,
}

impl Job for ImportRecords {
    const KIND: &'static str = "records.import";
    const DESCRIPTION: &'static str = "creates or replaces a record for each line of a file";
    type Output = Imported;

    fn options() -> Options {
        Options {
            max_attempts: 5,
            timeout: Duration::from_secs(3_600),
            backoff: Duration::from_secs(5),
            audited: true,
            ..Options::default()
        }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<Imported> {
        let import = Import {
            collection: &self.collection,
            format: self.format,
            from: &self.from,
            bad_lines: self.bad_lines,
            name: &task.task.id,
        };
        let records = &task.services.records;
        let done = records.import(&task.ctx, &import, &|lines| told(task, "lines", lines)).await?;
        if self.bad_lines == BadLines::Refuse && done.bad > 0 {
            return Err(JobError::fatal("bad_lines", done.refusal()));
        }
        Ok(done)
    }
}
