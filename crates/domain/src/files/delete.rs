//! Deleting a file.

use outrigger_kernel::{Ctx, Error, Result};
use outrigger_ports::store::Batch;

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
        let mut batch = Batch::of(self.deletion(&file)?);
        batch.writes.extend(self.audited(ctx, id, Some(&file.value), None)?);
        if !self.commit(batch).await? {
            return Err(Error::not_found("file"));
        }
        let is_signed = file.value.signed_until.is_some_and(|until| until > self.clock.now());
        self.discard(id, !is_signed).await;
        Ok(())
    }
}
