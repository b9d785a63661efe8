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
            let current = self.store.get(&key).await?;
            let Some(head) = current.as_ref().map(envelope::head).transpose()? else {
                expected.check_write(None)?;
                return Err(Error::not_found("record"));
            };
            rules::check(rule, ctx, head.created_by.as_deref())?;
            expected.check_write(Some(&head.etag()))?;
            let precondition = Precondition::Version(head.version);
            let batch = Batch::of([Write::Delete { key: key.clone(), precondition }]);
            let held = [cache_key(&compiled, record_id)];
            if self.commit_cached(&held, batch).await?.is_some() {
                return Ok(());
            }
        }
        Err(too_contended())
    }
}
