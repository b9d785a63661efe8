//! Commits a batch that has more changes than one transaction may.
//!
//! Index entries that come are written first: until their documents have them they lead nowhere.
//! Documents and unique values are one transaction. Entries that go are removed afterwards: their
//! documents have them no more, so they lead nowhere either. Others may take away, at any instant,
//! what leads nowhere, so the transaction also demands that the mark of this batch still stands; see
//! [`crate::repair`].

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures_util::{StreamExt, TryStreamExt, stream};
use outrigger_ports::store::StoreError;

use super::Commit;
use super::plan::{Action, Coming, Guard, Plan};
use super::transact::Outcome;
use crate::batch_get::{self, How};
use crate::error::Failure;
use crate::item::{self, Item, Stamp};
use crate::key::ItemKey;
use crate::repair::{self, Verdict};

/// So many items are written beside each other.
const AT_ONCE: usize = 16;
/// The mark of a batch that was never ended is kept for so long, in seconds; no batch takes as long.
const MARK_TTL_S: i64 = 86_400;
/// How often an entry is written that others have left there.
const TRIES: usize = 3;

impl Commit<'_> {
    /// Does it, or nothing of it.
    ///
    /// # Errors
    /// As [`Commit::transact`].
    pub(super) async fn commit_large(&mut self, plan: &Plan) -> Result<Outcome, StoreError> {
        let mark = ItemKey::large(plan.stamp);
        let number = |number: i64| AttributeValue::N(number.to_string());
        let mut item = mark.attributes();
        item.insert("w".to_owned(), number(plan.now.as_micros()));
        // One that a killed process has left goes by itself.
        item.insert("ttl".to_owned(), number(plan.now.as_secs() + MARK_TTL_S));
        match self.put(item, None).await {
            // It is there already: only the answer was lost.
            Ok(()) | Err(Failure::Changed) => {}
            Err(failure) => return Err(failure.into_error(false)),
        }
        let outcome = match self.stage(plan).await {
            Ok(true) => {
                let mut actions = plan.core.clone();
                actions.insert(mark, Action::Delete(Guard::There));
                self.transact(plan.stamp, actions).await
            }
            Ok(false) => Ok(Outcome::Changed),
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(Outcome::Done) => self.tidy(plan.gone()).await,
            Ok(Outcome::Unclear(_)) | Err(StoreError::OutcomeUnknown(_)) => {}
            Ok(Outcome::Changed) | Err(_) => self.take_back(plan).await,
        }
        outcome
    }

    /// Writes the entries that come; `false` when something is not as it was read.
    async fn stage(&self, plan: &Plan) -> Result<bool, StoreError> {
        let mut staging = Vec::with_capacity(plan.coming.len());
        for coming in &plan.coming {
            staging.push(self.stage_one(plan, coming));
        }
        stream::iter(staging)
            .buffer_unordered(AT_ONCE)
            .try_fold(true, |all, one| async move { Ok(all && one) })
            .await
    }

    async fn stage_one(&self, plan: &Plan, coming: &Coming) -> Result<bool, StoreError> {
        let Coming { key, listed, was } = coming;
        let place = ItemKey::entry(key, &listed.entry);
        for _ in 0..TRIES {
            let item = item::of_entry(key, listed, plan.now);
            match self.put(item, *was).await {
                Ok(()) => return Ok(true),
                Err(Failure::Changed) => {}
                Err(failure) => return Err(failure.into_error(false)),
            }
            let how = How { call: self.call, may_lag: false, with_body: false };
            let there = batch_get::items(self.link, [place.clone()].into(), how).await?;
            let Some(stamp) = there.values().next().and_then(Stamp::of) else { continue };
            if stamp == plan.stamp {
                // It was written, and only the answer was lost.
                return Ok(true);
            }
            if repair::remove(self.link, key, &listed.entry, stamp).await? == Verdict::Needed {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Writes the item where none is, or the one with that stamp.
    async fn put(&self, item: Item, was: Option<Stamp>) -> Result<(), Failure> {
        let request = self.link.client.put_item().table_name(self.link.table());
        let request =
            request.set_item(Some(item)).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let request = match was {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(stamp) => request
                .condition_expression("attribute_not_exists(pk) OR t = :was")
                .expression_attribute_values(":was", stamp.attribute()),
        };
        let answer = self.link.until(&mut self.link.budget(), || request.clone().send()).await?;
        self.link.meter.wrote(self.call, answer.consumed_capacity.as_slice());
        Ok(())
    }

    /// Removes what was written before a transaction that was not done.
    async fn take_back(&self, plan: &Plan) {
        self.tidy(plan.staged()).await;
        if let Err(error) = repair::unmark(self.link, plan.stamp).await {
            tracing::debug!(%error, "the mark of a large batch was left behind");
        }
    }

    /// Removes entries that lead nowhere. What is left is removed by whoever meets it.
    async fn tidy(&self, gone: Vec<(ItemKey, Stamp)>) {
        let mut removing = Vec::with_capacity(gone.len());
        for (key, stamp) in &gone {
            removing.push(repair::delete(self.link, key, *stamp));
        }
        let mut outcomes = stream::iter(removing).buffer_unordered(AT_ONCE);
        while let Some(outcome) = outcomes.next().await {
            if let Err(error) = outcome {
                tracing::debug!(%error, "an index entry that leads nowhere was left behind");
            }
        }
    }
}
