//! Creating a record under an id that Outrigger chooses.

use bytes::Bytes;
use outrigger_kernel::{Ctx, Result};
use outrigger_ports::store::{Batch, Precondition};

use super::rules;
use super::save::{Draft, Saved};
use super::service::{Records, parse_data, too_contended};
use super::triggers::Change;
use crate::idempotency::{Answer, Keyed};

impl Records {
    /// Creates a record with `body` as its data. With an idempotency key, once.
    ///
    /// # Errors
    /// `not_found` (no such collection), what the rule `create` says, `invalid`, `too_large`,
    /// `conflict` (`not_unique`).
    pub async fn create(
        &self,
        ctx: &Ctx,
        collection: &str,
        body: &[u8],
        idempotency_key: Option<&str>,
    ) -> Result<Saved> {
        let compiled = self.definitions.get(collection).await?;
        rules::check(&compiled.definition.input.rules.create, ctx, ctx.user_id())?;
        let keyed = idempotency_key
            .map(|key| Keyed::new(ctx, &format!("create {collection}"), key, body))
            .transpose()?;
        if let Some(first) = self.first_answer(keyed.as_ref()).await? {
            return Ok(first);
        }
        let data = parse_data(body)?;
        let id = self.ids.new_id("rec");
        let draft = Draft::next(&id, None, ctx, self.clock.now(), &data);
        let (write, stored) = draft.write(&compiled, Precondition::Absent)?;
        let saved = draft.saved(&compiled, 1, &stored);
        let mut staged =
            self.tasks.stage(self.triggered(ctx, &compiled, Change::Create, 1, &draft)?)?;
        let audited = self.audited(ctx, &compiled, &write, None)?;
        let mut batch = Batch::of(std::iter::once(write).chain(audited));
        batch.writes.append(&mut staged.writes);
        if let Some(keyed) = &keyed {
            batch.writes.push(self.idempotency.keep(keyed, answer(&saved))?);
        }
        if self.commit(batch).await?.is_some() {
            self.tasks.committed(staged).await;
            return Ok(saved);
        }
        // The id is new, so it was the key: the same request came twice at the same time.
        self.first_answer(keyed.as_ref()).await?.ok_or_else(too_contended)
    }

    async fn first_answer(&self, keyed: Option<&Keyed>) -> Result<Option<Saved>> {
        let Some(keyed) = keyed else { return Ok(None) };
        Ok(self.idempotency.replay(keyed).await?.map(saved))
    }
}

fn answer(saved: &Saved) -> Answer {
    Answer {
        etag: Some(saved.etag.clone()),
        location: Some(saved.id.clone()),
        body: String::from_utf8_lossy(&saved.json).into_owned(),
    }
}

fn saved(answer: Answer) -> Saved {
    Saved {
        id: answer.location.unwrap_or_default(),
        etag: answer.etag.unwrap_or_default(),
        json: Bytes::from(answer.body),
        is_new: true,
    }
}
