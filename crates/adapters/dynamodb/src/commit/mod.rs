//! Commits a batch: what it depends on is read, it is checked, and it is one transaction whose
//! conditions are that nothing of what was read has changed.
//!
//! # Why the preconditions hold at the instant of the commit
//!
//! Every write of a document gives its item a new stamp. The transaction demands of each document of
//! the batch the stamp that was read, or that it is not there as when it was read; and of each unique
//! value that is taken, the holder that was read. If anything else was written meanwhile, nothing of
//! the batch is done, and all is read and checked anew.
//!
//! # What is known afterwards
//!
//! A transaction has a token. When no answer comes, it is sent again with the same token: DynamoDB
//! does not do it twice, and says what became of it. Only if there is no answer until the time is
//! over is the outcome unknown.

mod check;
mod large;
mod plan;
mod state;
mod transact;

use std::sync::Arc;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Precondition, StoreError, Write};

use crate::item::Stamp;
use crate::link::{Budget, Link};
use crate::meter::Call;
use plan::Plan;
use state::State;
use transact::Outcome;
pub(crate) use transact::failure;

/// A commit under way.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    link: &'a Arc<Link>,
    now: Timestamp,
    call: Call,
    budget: Budget,
}

impl<'a> Commit<'a> {
    /// One that is counted as this call of the port.
    pub(crate) fn new(link: &'a Arc<Link>, now: Timestamp, call: Call) -> Self {
        Self { link, now, call, budget: link.budget() }
    }

    /// Commits the batch; the versions afterwards.
    ///
    /// # Errors
    /// As [`outrigger_ports::store::Store::commit`].
    pub(crate) async fn run(mut self, batch: &Batch) -> Result<Vec<u64>, StoreError> {
        if batch.writes.is_empty() {
            return Ok(Vec::new());
        }
        // What is to be created is most likely not there: then one request is all.
        let mut assumed = creates_only(batch);
        let mut turns = match self.link.turns.are_taken(batch) {
            true => self.link.turns.take(batch).await,
            false => Vec::new(),
        };
        loop {
            let known = match assumed {
                true => State::default(),
                false => State::read(&self, batch).await?,
            };
            let checked = check::preconditions(batch, &known, self.now)
                .and_then(|()| check::uniques(batch, &known, self.now));
            if std::mem::take(&mut assumed) && checked.is_err() {
                continue;
            }
            checked?;
            let plan = Plan::of(batch, &known, self.now, Stamp::new(&*self.link.random));
            let outcome = match plan.fits() {
                true => self.transact(plan.stamp, plan.all()).await?,
                false => self.commit_large(&plan).await?,
            };
            match outcome {
                Outcome::Done => return Ok(plan.versions),
                Outcome::Changed => {}
                Outcome::Unclear(cause) => {
                    return match state::has(&self, batch, plan.stamp).await {
                        Ok(true) => Ok(plan.versions),
                        _ => Err(StoreError::OutcomeUnknown(cause)),
                    };
                }
            }
            if turns.is_empty() {
                turns = self.link.turns.take(batch).await;
            }
            if !self.link.pause_briefly(&mut self.budget).await {
                let what = "others change the same documents all the time";
                return Err(StoreError::Unavailable(what.into()));
            }
        }
    }
}

fn creates_only(batch: &Batch) -> bool {
    let is_create = |write: &Write| {
        matches!(write, Write::Put { .. } | Write::Restore { .. })
            && write.precondition() == Precondition::Absent
    };
    batch.writes.iter().all(is_create)
}
