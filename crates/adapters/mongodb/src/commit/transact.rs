//! A batch of several writes: a transaction that has read what the batch depends on.
//!
//! # Why the preconditions hold at the instant of the commit
//!
//! A transaction sees the database at one instant, and fails when somebody else has changed, after
//! that instant, a document that it changes too. So it changes every document that it depends on:
//! of those that a batch only checks, a counter; and where there is none, one is made and deleted
//! again. Unique values are a unique index.

use mongodb::bson::{Bson, Document};
use mongodb::options::ReadConcern;
use outrigger_ports::store::{Batch, StoreError};

use super::Commit;
use super::check;
use super::plan::Plan;
use super::state::State;
use crate::error::{self, Failure};
use crate::link::{DOCUMENTS, Session};
use crate::ready::whole;
use crate::target;

impl Commit<'_> {
    /// Commits the batch; the versions afterwards.
    pub(super) async fn transaction(&mut self, batch: &Batch) -> Result<Vec<u64>, StoreError> {
        let mut turns = match self.link.turns.are_taken(batch) {
            true => self.link.turns.take(batch).await,
            false => Vec::new(),
        };
        loop {
            let failure = match self.transact(batch).await {
                Ok(done) => return done,
                Err(failure) => failure,
            };
            // Whatever failed, nothing was done: it is said otherwise as a store's error.
            if failure.reason().is_none() {
                return Err(failure.into_error(false));
            }
            if turns.is_empty() {
                turns = self.link.turns.take(batch).await;
            }
            self.pause(failure).await?;
        }
    }

    async fn transact(&mut self, batch: &Batch) -> Result<Result<Vec<u64>, StoreError>, Failure> {
        let (link, budget) = (self.link, self.budget);
        let mut session = link.session().await?;
        let begin = session
            .client
            .start_transaction()
            .read_concern(ReadConcern::snapshot())
            .write_concern(target::write_concern(link.patience));
        budget.spend(begin).await?;
        let state = State::read(budget, &mut session, batch, self.now).await?;
        if let Err(fault) = check::faults(batch, &state) {
            // Nothing was written: that the transaction is over, the driver says by itself.
            return Ok(Err(fault));
        }
        let plan = Plan::of(batch, &state);
        if !plan.deleted.is_empty() {
            self.statement(&mut session, Plan::delete(DOCUMENTS, &plan.deleted)).await?;
        }
        if !plan.updates.is_empty() {
            let updates = mongodb::bson::doc! { "update": DOCUMENTS, "updates": plan.updates };
            self.statement(&mut session, updates).await?;
        }
        if !plan.traces.is_empty() {
            self.statement(&mut session, Plan::delete(DOCUMENTS, &plan.traces)).await?;
        }
        match self.commit(&mut session).await? {
            Ok(()) => link.saw(&session),
            Err(unknown) => return Ok(Err(unknown)),
        }
        Ok(Ok(plan.versions))
    }

    async fn statement(&self, session: &mut Session, command: Document) -> Result<(), Failure> {
        let Session { at, client } = session;
        let run = at.database.run_command(command).session(client);
        let answer = self.budget.spend(run).await?;
        let errors = answer.get_array("writeErrors").map_or(&[][..], Vec::as_slice);
        let Some(said) = errors.first().and_then(Bson::as_document) else { return Ok(()) };
        let code = said.get("code").map(whole).unwrap_or_default();
        let text = format!("({code}): {}", said.get_str("errmsg").unwrap_or("no message"));
        Err(error::of_code(i32::try_from(code).unwrap_or_default(), &text))
    }

    /// Asks until it is known what became of the transaction: committing twice is as once. Only the server's
    /// word that it was committed, or that it is gone, says so: a refusal may be of a second try of the
    /// driver's own, after an answer was lost.
    async fn commit(&mut self, session: &mut Session) -> Result<Result<(), StoreError>, Failure> {
        let mut is_asked_again = false;
        loop {
            let failure = match self.budget.spend(session.client.commit_transaction()).await {
                Ok(()) => return Ok(Ok(())),
                Err(failure) => failure,
            };
            let Failure::Silent(cause) = failure else {
                return match failure {
                    Failure::Late => Ok(Err(failure.into_error(true))),
                    Failure::Conflict(_) => Err(failure),
                    Failure::Away(_) | Failure::Refused(_) if !is_asked_again => Err(failure),
                    failure => {
                        Ok(Err(StoreError::OutcomeUnknown(Box::new(failure.into_error(true)))))
                    }
                };
            };
            is_asked_again = true;
            let reason = crate::error::Reason::Connection;
            if !self.link.pause(&mut self.budget, reason).await {
                return Ok(Err(StoreError::OutcomeUnknown(cause)));
            }
        }
    }
}
