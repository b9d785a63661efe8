//! `records.export`: all records of a collection into a file.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::transfer::{Export, Exported, Format, told};
use crate::tasks::{Job, JobResult, Options, TaskCtx};

/// Writes all records of a collection into a file; what is written meanwhile may be in it or not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRecords {
    /// The collection.
    #[schemars(length(min = 1, max = 64))]
    pub collection: String,
    /// How records are written; `ndjson` unless said.
    #[serde(default)]
    pub format: Format,
    /// The key of the file; `exports/TASK.FORMAT` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub to: Option<String>,
    /// The fields that a CSV has columns of; those of the collection's schema unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), inner(length(min = 1, max = 200)))]
    pub fields: Vec<String>,
}

impl Job for ExportRecords {
    const KIND: &'static str = "records.export";
    const DESCRIPTION: &'static str = "writes all records of a collection into a file";
    type Output = Exported;

    fn options() -> Options {
        Options {
            max_attempts: 5,
            timeout: Duration::from_secs(3_600),
            backoff: Duration::from_secs(5),
            audited: true,
            ..Options::default()
        }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<Exported> {
        let (id, format) = (&task.task.id, self.format.as_str());
        let export = Export {
            collection: &self.collection,
            format: self.format,
            to: self.to.unwrap_or_else(|| format!("exports/{id}.{format}")),
            fields: self.fields,
        };
        Ok(task.services.records.export(export, &|records| told(task, "records", records)).await?)
    }
}
