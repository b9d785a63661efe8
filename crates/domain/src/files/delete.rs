//! Deleting a file.

use outrigger_kernel::{Ctx, Error, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition};

use super::model::{File, Loose};
use super::service::Files;
use crate::rule::{self, Rule};

impl Files {
    /// Deletes the file, which its owner and administrators may. Who reads it reads on.
    ///
    /// # Errors
    /// `unauthenticated`, `not_found` (also for another's file).
    pub async fn delete(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let file = self.find(id).await?;
        rule::check(&Rule::Owner, ctx, file.value.owner.as_deref(), "file")?;
        let now = self.clock.now();
        let until = file.value.signed_until.map_or(now, |until| until.max(now));
        let note = Loose { until, doomed: true, promised: None };
        let mut batch = Batch::of([
            Collection::<File>::delete(id, Precondition::Version(file.version)),
            Collection::put(id, &note, Precondition::Any)?,
        ]);
        batch.writes.extend(self.audited(ctx, id, Some(&file.value), None)?);
        if !self.commit(batch).await? {
            return Err(Error::not_found("file"));
        }
        self.discard(id, until == now).await;
        Ok(())
    }
}
