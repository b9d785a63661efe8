//! Creating or replacing a record under an id that the client chooses.

use outrigger_kernel::{Ctx, Error, Result, id};

use super::etag::Preconditions;
use super::save::Saved;
use super::service::{Records, parse_data};

impl Records {
    /// Puts `body` as the data of the record.
    ///
    /// # Errors
    /// `not_found` (no such collection, or another owner's record), what the rules `create` and
    /// `update` say, `precondition_failed`, `invalid`, `too_large`, `conflict`.
    pub async fn replace(
        &self,
        ctx: &Ctx,
        collection: &str,
        record_id: &str,
        body: &[u8],
        expected: &Preconditions,
    ) -> Result<Saved> {
        let compiled = self.definitions.get(collection).await?;
        check_id(record_id)?;
        let data = parse_data(body)?;
        self.save(ctx, &compiled, record_id, expected, |_| Ok(data.clone())).await
    }
}

/// Lets only ids pass that a record can have.
pub(crate) fn check_id(record_id: &str) -> Result<()> {
    if id::is_valid_name(record_id) {
        return Ok(());
    }
    Err(Error::invalid(
        &["path", "id"],
        "invalid_id",
        "a record's id is 1 to 64 of A-Z a-z 0-9 _ -",
    ))
}
