//! A batch of one write: one atomic operation on one document, whose condition is the precondition.

use mongodb::bson::{Document as Bsons, doc};
use outrigger_ports::store::{Batch, Document, Precondition, StoreError, Write};

use super::Commit;
use super::check;
use super::state::State;
use crate::error::{Failure, Reason};
use crate::purge;
use crate::stored::Change;
use crate::{key, span};

impl Commit<'_> {
    /// Commits the batch; the version afterwards.
    ///
    /// When the operation finds nothing that it may change, or something is in its way, it is looked
    /// what that is. It is said, if it is a fault of the batch; it is removed, if it has expired; and
    /// otherwise it was there only for a moment.
    pub(super) async fn single(
        &mut self,
        batch: &Batch,
        write: &Write,
    ) -> Result<Vec<u64>, StoreError> {
        loop {
            let broken = self.link.broken();
            match self.attempt(write).await {
                Ok(Some(version)) => return Ok(vec![version]),
                Ok(None) | Err(Failure::Taken) => {}
                Err(failure @ (Failure::Away(_) | Failure::Refused(_) | Failure::Conflict(_))) => {
                    self.pause(failure).await?;
                    continue;
                }
                // Of the driver's second try, perhaps; the answer to the first was lost.
                Err(Failure::Final(error)) if self.link.broken() > broken => {
                    return Err(StoreError::OutcomeUnknown(Box::new(error)));
                }
                Err(failure) => return Err(failure.into_error(true)),
            }
            let state = self.look(batch).await?;
            check::faults(batch, &state)?;
            if let Some(version) = unchanged(write, &state) {
                return Ok(vec![version]);
            }
            let expired = &state.expired();
            if expired.is_empty() {
                self.pause(Failure::Taken).await?;
                continue;
            }
            let (link, now) = (self.link, self.now);
            link.ask(|budget| purge::delete_expired(link, budget, expired, now)).await?;
        }
    }

    async fn look(&self, batch: &Batch) -> Result<State, StoreError> {
        let (link, now) = (self.link, self.now);
        let read = |budget| async move {
            let mut session = link.session().await?;
            let state = State::read(budget, &mut session, batch, now).await?;
            link.saw(&session);
            Ok(state)
        };
        link.ask(read).await
    }

    /// The version afterwards; or nothing, when there was nothing that could be changed.
    async fn attempt(&self, write: &Write) -> Result<Option<u64>, Failure> {
        match write {
            Write::Put { key, body, entries, expires_at, precondition } => {
                let change = Change::default().put(body, *expires_at).entries(key, entries);
                match precondition {
                    Precondition::Absent => self.insert(change.document(key, 1), 1).await,
                    precondition => self.update(write, change.update(true), *precondition).await,
                }
            }
            Write::Restore { document, entries, precondition } => {
                let Document { key, version, body, expires_at } = document;
                let change = Change::default().put(body, *expires_at).entries(key, entries);
                match precondition {
                    Precondition::Absent => {
                        self.insert(change.document(key, *version), *version).await
                    }
                    precondition => {
                        let update = change.version(*version).update(false);
                        self.update(write, update, *precondition).await
                    }
                }
            }
            Write::Reindex { precondition: Precondition::Absent, .. }
            | Write::Delete { precondition: Precondition::Absent, .. }
            | Write::Check { .. } => Ok(None),
            Write::Reindex { key, entries, precondition } => {
                let change = Change::default().entries(key, entries);
                self.update(write, change.update(false), *precondition).await
            }
            Write::Delete { precondition, .. } => self.delete(write, *precondition).await,
        }
    }

    async fn insert(&self, document: Bsons, version: u64) -> Result<Option<u64>, Failure> {
        let mut session = self.link.session().await?;
        let documents = session.at.documents.clone_with_type::<Bsons>();
        let insert = documents.insert_one(document).session(&mut session.client);
        self.budget.spend(insert).await?;
        self.link.saw(&session);
        Ok(Some(version))
    }

    async fn update(
        &self,
        write: &Write,
        update: Bsons,
        precondition: Precondition,
    ) -> Result<Option<u64>, Failure> {
        let puts = matches!(write, Write::Put { .. } | Write::Restore { .. });
        let creates = puts && precondition == Precondition::Any;
        let mut session = self.link.session().await?;
        let update = session
            .at
            .documents
            .find_one_and_update(self.condition(write, precondition), update)
            .upsert(creates)
            .return_document(mongodb::options::ReturnDocument::After)
            .projection(doc! { "v": 1 })
            .session(&mut session.client);
        let updated = self.budget.spend(update).await?;
        self.link.saw(&session);
        Ok(updated.map(|stored| stored.version()))
    }

    async fn delete(
        &self,
        write: &Write,
        precondition: Precondition,
    ) -> Result<Option<u64>, Failure> {
        let mut session = self.link.session().await?;
        let delete = session.at.documents.delete_one(self.condition(write, precondition));
        let deleted = self.budget.spend(delete.session(&mut session.client)).await?;
        self.link.saw(&session);
        Ok((deleted.deleted_count > 0).then_some(0))
    }

    /// The live document, if the precondition holds of it.
    fn condition(&self, write: &Write, precondition: Precondition) -> Bsons {
        let mut condition = doc! { "_id": key::id(write.key()), "x": span::live(self.now) };
        if let Precondition::Version(version) = precondition {
            condition.insert("v", i64::try_from(version).unwrap_or(i64::MAX));
        }
        condition
    }

    /// Waits before another try of something that was not done.
    ///
    /// # Errors
    /// The failure, when there is no time left for one.
    pub(super) async fn pause(&mut self, failure: Failure) -> Result<(), StoreError> {
        let reason = failure.reason().unwrap_or(Reason::Conflict);
        match self.link.pause(&mut self.budget, reason).await {
            true => Ok(()),
            false => Err(failure.into_error(false)),
        }
    }
}

/// The version, if the write leaves everything as it is, or there is nothing to be changed.
fn unchanged(write: &Write, state: &State) -> Option<u64> {
    let version = state.version(write.key());
    match write {
        Write::Put { .. } | Write::Restore { .. } => None,
        Write::Check { .. } => Some(version.unwrap_or_default()),
        Write::Reindex { .. } | Write::Delete { .. } => version.is_none().then_some(0),
    }
}
