//! Changing parts of a record.

use outrigger_kernel::{Ctx, Error, Result};

use super::envelope;
use super::etag::Preconditions;
use super::merge::merge;
use super::replace::check_id;
use super::rules;
use super::save::Saved;
use super::service::{Records, parse_data};

impl Records {
    /// Applies a JSON merge patch (RFC 7396) to the data of the record.
    ///
    /// # Errors
    /// `not_found`, what the rule `update` says, `precondition_failed`, `invalid`, `too_large`,
    /// `conflict`.
    pub async fn patch(
        &self,
        ctx: &Ctx,
        collection: &str,
        record_id: &str,
        body: &[u8],
        expected: &Preconditions,
    ) -> Result<Saved> {
        let compiled = self.definitions.get(collection).await?;
        check_id(record_id)?;
        // Who may not change anything learns nothing of what is there, not even that it is not.
        rules::check(&compiled.definition.input.rules.update, ctx, ctx.user_id())?;
        let patch = parse_data(body)?;
        if !patch.is_object() {
            return Err(Error::invalid(&["body"], "type", "a merge patch is a JSON object"));
        }
        self.save(ctx, &compiled, record_id, expected, |current| {
            let current = current.ok_or_else(|| Error::not_found("record"))?;
            let mut data = envelope::data(current)?;
            merge(&mut data, patch.clone());
            Ok(data)
        })
        .await
    }
}
