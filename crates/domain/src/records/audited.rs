//! What administrators do to records stands in the audit log, by the same batch.

use outrigger_kernel::{Ctx, Result};
use outrigger_ports::store::{Batch, Document, Write};
use serde_json::json;

use super::batch::OperationResult;
use super::definition::Compiled;
use super::service::Records;
use crate::audit::{Action, Change, is_by_administrator};

impl Records {
    /// The entry that tells of a write of one record; none when no administrator does it.
    pub(super) fn audited(
        &self,
        ctx: &Ctx,
        compiled: &Compiled,
        write: &Write,
        before: Option<&Document>,
    ) -> Result<Option<Write>> {
        if !is_by_administrator(ctx) {
            return Ok(None);
        }
        let after = write.body();
        let action = if after.is_some() { Action::RecordChanged } else { Action::RecordDeleted };
        let change = Change::of_bytes(before.map(|before| &*before.body), after);
        let target = format!("{}/{}", compiled.name, write.key().id);
        self.audit.change(ctx, action, &target, change, json!({})).map(Some)
    }

    /// The same of many: one entry, whose hashes are of all records, a line for each.
    pub(super) fn audited_batch(
        &self,
        ctx: &Ctx,
        batch: &Batch,
        before: &[Option<Document>],
        results: &[OperationResult],
    ) -> Result<Option<Write>> {
        if !is_by_administrator(ctx) {
            return Ok(None);
        }
        let before = lines(before.iter().flatten().map(|document| &*document.body));
        let after = lines(batch.writes.iter().filter_map(Write::body));
        let change = Change::of_bytes(before.as_deref(), after.as_deref());
        let details = json!({"operations": results});
        self.audit.change(ctx, Action::RecordsChanged, "batch", change, details).map(Some)
    }
}

fn lines<'a>(bodies: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let bodies: Vec<&[u8]> = bodies.collect();
    (!bodies.is_empty()).then(|| bodies.join(&b'\n'))
}
