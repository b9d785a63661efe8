//! Deleting a record.

use outrigger_kernel::{Ctx, Error, Result};
use outrigger_ports::store::{Batch, Key, Precondition, Write};

use super::envelope;
use super::etag::Preconditions;
use super::replace::check_id;
use super::rules;
use super::service::{Records, cache_key, too_contended};

const TRIES: usize = 8;

impl Records {
    /// Deletes the record.
    ///
    /// # Errors
    /// `not_found`, what the rule `delete` says, `precondition_failed`.
    pub async fn delete(
        &self,
        ctx: &Ctx,
        collection: &str,
        record_id: &str,
        expected: &Preconditions,
    ) -> Result<()> {
        let compiled = self.definitions.get(collection).await?;
        check_id(record_id)?;
        let rule = &compiled.definition.input.rules.delete;
        rules::check(rule, ctx, ctx.user_id())?;
        let key = Key::new(&compiled.store_collection, record_id);
        for _ in 0..TRIES {
            let Some(current) = self.store.get(&key).await? else {
                expected.check_write(None)?;
                return Err(Error::not_found("record"));
            };
            let head = envelope::head(&current)?;
            rules::check(rule, ctx, head.created_by.as_deref())?;
            expected.check_write(Some(&head.etag()))?;
            let precondition = Precondition::Version(head.version);
            let tasks = self.triggered_by_delete(ctx, &compiled, &current, &head)?;
            let mut staged = self.tasks.stage(tasks)?;
            let write = Write::Delete { key: key.clone(), precondition };
            let audited = self.audited(ctx, &compiled, &write, Some(&current))?;
            let mut batch = Batch::of(std::iter::once(write).chain(audited));
            batch.writes.append(&mut staged.writes);
            let held = [cache_key(&compiled, record_id)];
            if self.commit_cached(&held, batch).await?.is_some() {
                self.tasks.committed(staged).await;
                return Ok(());
            }
        }
        Err(too_contended())
    }
}
