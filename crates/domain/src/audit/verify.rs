//! Checks the chain of the audit log, and reads it out.

use std::time::Duration;

use outrigger_kernel::{Ctx, Error, Result, Timestamp};
use outrigger_ports::index_value;
use outrigger_ports::store::{Document, Order, Position, Query};

use super::chain::{Chain, Kept, query};
use super::model::{CHAIN, KEPT_FOR, Link};

/// Entries that are read at once.
const PAGE: usize = 500;
/// Most findings that are told.
const FINDINGS_MAX: usize = 20;
/// So old an entry is linked, unless nothing serves.
const LINKED_AFTER: Duration = Duration::from_secs(60);
/// What clocks may differ.
const SLACK: Duration = Duration::from_secs(60);

/// What a look at the whole chain came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries of the chain that were read.
    pub entries: u64,
    /// The number of the oldest of them, 0 when there is none; those before it have expired.
    pub first: u64,
    /// The newest link.
    pub newest: Option<Link>,
    /// Entries that are too new to be linked.
    pub open: u64,
    /// What is wrong, at most 20 sentences.
    pub findings: Vec<String>,
}

impl Verified {
    fn finds(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        }
    }
}

impl Chain {
    /// Reads the chain, and then all entries, as an entry that is in no index would be in lists only; says
    /// what does not fit together. `known` is a link that was noted earlier, its number and hash: that it
    /// is still there also shows a chain that was made anew.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn verify(
        &self,
        ctx: &Ctx,
        now: Timestamp,
        known: Option<(u64, &str)>,
    ) -> Result<Verified> {
        ctx.require_admin()?;
        let head = self.head().await?.value;
        let mut verified = Verified::default();
        let mut after = None;
        loop {
            let page = self.page(Order::Index(CHAIN), after.take(), PAGE).await?;
            for (document, position) in page {
                self.check(&document, now, known, &mut verified)?;
                after = Some(position);
            }
            if after.is_none() {
                break;
            }
        }
        match &verified.newest {
            None if is_due(head.time, now) => {
                verified.finds(format!("number {} is to be the newest, and is gone", head.number));
            }
            Some(newest) if newest.number < head.number => {
                let (there, said) = (newest.number, head.number);
                verified.finds(format!("{} entries after number {there} are gone", said - there));
            }
            Some(newest) if newest.number == head.number && newest.hash != head.hash => {
                verified.finds(format!("number {} is another one than was linked", head.number));
            }
            _ => {}
        }
        if let Some((number, _)) = known
            && verified.newest.as_ref().is_none_or(|newest| newest.number < number)
        {
            verified.finds(format!("number {number}, which was noted, is gone"));
        }
        self.check_unlinked(now, &mut verified).await?;
        Ok(verified)
    }

    fn check(
        &self,
        document: &Document,
        now: Timestamp,
        known: Option<(u64, &str)>,
        verified: &mut Verified,
    ) -> Result<()> {
        let entry = Kept::of(document)?;
        let Some(link) = entry.link.clone() else {
            verified.finds(format!("{} stands in the chain without a link", entry.id));
            return Ok(());
        };
        let number = link.number;
        if self.hash(&link, &entry)? != link.hash {
            verified.finds(format!("number {number} ({}) was changed", entry.id));
        }
        if known.is_some_and(|(noted, hash)| noted == number && hash != link.hash) {
            verified.finds(format!("number {number} is another one than was noted"));
        }
        match &verified.newest {
            None => {
                verified.first = number;
                if is_due(link.previous_time, now) {
                    verified.finds(format!("entries before number {number} are gone"));
                }
            }
            Some(before) if before.number + 1 == number => {
                if before.hash != link.previous {
                    verified.finds(format!("number {number} does not follow the one before it"));
                }
            }
            Some(before) if before.number >= number => {
                verified.finds(format!("number {number} is there more than once"));
            }
            // At the old end entries expire by their time, which is not exactly the chain's order.
            Some(_) if !is_due(link.previous_time, now) => {}
            Some(before) => {
                let gone = number - before.number - 1;
                verified.finds(format!("{gone} entries before number {number} are gone"));
            }
        }
        verified.entries += 1;
        verified.newest = Some(link);
        Ok(())
    }

    /// Entries that nobody has linked, as they are too new or were put there by somebody else, and those
    /// that say that they are in the chain and are not.
    async fn check_unlinked(&self, now: Timestamp, verified: &mut Verified) -> Result<()> {
        let (mut after, mut linked) = (None, 0);
        let newest = verified.newest.as_ref().map_or(0, |newest| newest.number);
        loop {
            let page = self.page(Order::Id, after.take(), PAGE).await?;
            for (document, position) in page {
                after = Some(position);
                let Kept { id, time, link, .. } = Kept::of(&document)?;
                match link {
                    Some(link) => linked += u64::from(link.number <= newest),
                    None if time.plus(LINKED_AFTER) > now => verified.open += 1,
                    None => verified.finds(format!("{id} is not in the chain")),
                }
            }
            if after.is_none() {
                break;
            }
        }
        if linked > verified.entries {
            let outside = linked - verified.entries;
            verified.finds(format!("{outside} entries are not where their links say"));
        }
        Ok(())
    }

    /// Entries of the chain after this number, the oldest first, each as a line of JSON with its id; at
    /// most `limit` and at most a page of them; and the number of the last.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn export(
        &self,
        ctx: &Ctx,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<String>, Option<u64>)> {
        ctx.require_admin()?;
        let mut number = Vec::new();
        index_value::integer(&mut number, after.into());
        let range = (std::ops::Bound::Excluded(number), std::ops::Bound::Unbounded);
        let query = Query { range, ..query(Order::Index(CHAIN), None, limit.min(PAGE)) };
        let found = self.store.query(&query).await?;
        let line = |document: &Document| {
            let mut value: serde_json::Value =
                serde_json::from_slice(&document.body).map_err(Error::internal)?;
            value["id"] = document.key.id.clone().into();
            Ok(value.to_string())
        };
        let lines = found.iter().map(|found| line(&found.document)).collect::<Result<_>>()?;
        let last = found.last().map(|found| Kept::of(&found.document)).transpose()?;
        Ok((lines, last.and_then(|last| last.link).map(|link| link.number)))
    }

    async fn page(
        &self,
        order: Order<'_>,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Document, Position)>> {
        let found = self.store.query(&query(order, after, limit)).await?;
        Ok(found.into_iter().map(|found| (found.document, found.position)).collect())
    }
}

/// Whether an entry of this time must still be there; one that ends within a minute need not.
fn is_due(time: Option<Timestamp>, now: Timestamp) -> bool {
    time.is_some_and(|time| time.plus(KEPT_FOR) > now.plus(SLACK))
}
