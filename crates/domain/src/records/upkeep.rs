//! Background work on records: re-indexing after a change of indexes, and emptying what was
//! deleted.
//!
//! Any process may do it. Who does holds a claim that it renews with each page; when it dies,
//! another goes on after the last page. Doing a page twice changes nothing.

use std::time::Duration;

use outrigger_kernel::{Error, ErrorKind, Result, Timestamp};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{
    Batch, Document, Order, Position, Precondition, Query, StoreError, Write, pieces,
};

use super::definition::Compiled;
use super::definitions::compile;
use super::envelope;
use super::field::Meta;
use super::index;
use super::model::{Claim, Definition, Purge};
use super::service::Records;

/// Records of one page; each page renews the claim and shows progress.
const PAGE: usize = 200;
/// Writes of one batch.
const BATCH: usize = 20;
/// How long a claim is believed without being renewed.
const CLAIM_FOR: Duration = Duration::from_secs(15);
/// Pieces of work looked at in one round.
const ROUND: usize = 10;

impl Records {
    /// Does one round of what is to be done; says whether there was something, so that the caller
    /// comes back at once. `worker` names this process.
    pub async fn upkeep(&self, worker: &str) -> Result<bool> {
        let mut worked = false;
        let order = Order::Index("reindex");
        let (changed, _) =
            self.definitions.stored().list(order, index_value::all(), false, None, ROUND).await?;
        for definition in changed {
            worked |= self.reindex_page(worker, definition).await?;
        }
        for purge in self.purges(ROUND).await? {
            worked |= self.purge_page(worker, purge).await?;
        }
        Ok(worked)
    }

    /// Whether the work may begin, and nobody else is at it.
    fn is_free(&self, worker: &str, since: Timestamp, claim: Option<&Claim>) -> bool {
        let now = self.clock.now();
        now >= since.plus(self.settings.settle)
            && claim.is_none_or(|claim| claim.by == worker || claim.until <= now)
    }

    fn claim(&self, worker: &str) -> Claim {
        Claim { by: worker.to_owned(), until: self.clock.now().plus(CLAIM_FOR) }
    }

    async fn reindex_page(&self, worker: &str, found: Stored<Definition>) -> Result<bool> {
        let Some(work) = &found.value.reindex else { return Ok(false) };
        if !self.is_free(worker, work.since, work.claim.as_ref()) {
            return Ok(false);
        }
        let after = work.after.clone();
        let name = found.id.clone();
        let Some(claimed) = self.progress(found, |d| set_claim(d, self.claim(worker))).await?
        else {
            return Ok(false);
        };
        let compiled = compile(claimed.clone())?;
        let page = self.page_by_id(&compiled.store_collection, after, PAGE).await?;
        let failed = self.reindex_records(&compiled, &page).await?;
        let ready = compiled.indexes.iter().map(|index| index.store_name.clone()).collect();
        let saved = self
            .progress(claimed, |definition| match (&failed, page.len() < PAGE) {
                (Some(error), _) => set_error(definition, error),
                (None, true) => {
                    definition.ready = ready;
                    definition.reindex = None;
                }
                (None, false) => advance(definition, &page),
            })
            .await?;
        self.definitions.changed(&name);
        Ok(saved.is_some())
    }

    /// Writes the definition back, unless somebody has changed it.
    async fn progress(
        &self,
        mut found: Stored<Definition>,
        change: impl FnOnce(&mut Definition) + Send,
    ) -> Result<Option<Stored<Definition>>> {
        change(&mut found.value);
        let expected = Precondition::Version(found.version);
        let write = Collection::put(&found.id, &found.value, expected)?;
        let versions = self.commit(Batch::of([write])).await?;
        Ok(versions.and_then(|versions| versions.first().copied()).map(|version| {
            found.version = version;
            found
        }))
    }

    async fn page_by_id(
        &self,
        collection: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<Document>> {
        let query = Query {
            collection,
            order: Order::Id,
            range: index_value::all(),
            descending: false,
            after: after.map(|id| Position { value: Vec::new(), id }),
            limit,
            may_lag: false,
        };
        Ok(self.store.query(&query).await?.into_iter().map(|found| found.document).collect())
    }

    /// Brings the entries of these records up to the definition; the first fault, if there is one.
    async fn reindex_records(
        &self,
        compiled: &Compiled,
        page: &[Document],
    ) -> Result<Option<String>> {
        for documents in page.chunks(BATCH) {
            let mut writes = Vec::with_capacity(documents.len());
            for document in documents {
                match reindexed(compiled, document) {
                    Ok(write) => writes.push(write),
                    Err(error) if error.kind() == ErrorKind::Invalid => {
                        return Ok(Some(format!("record {}: {error}", document.key.id)));
                    }
                    Err(error) => return Err(error),
                }
            }
            if self.store.commit(Batch::of(writes.clone())).await.is_ok() {
                continue;
            }
            for write in writes {
                if let Some(fault) = self.reindex_one(write).await? {
                    return Ok(Some(fault));
                }
            }
        }
        Ok(None)
    }

    async fn reindex_one(&self, write: Write) -> Result<Option<String>> {
        let id = write.key().id.clone();
        match self.store.commit(Batch::of([write])).await {
            // Whoever changed it since has written the new entries.
            Ok(_) | Err(StoreError::Precondition { .. }) => Ok(None),
            Err(StoreError::Unique { index, .. }) => {
                let fields = index::fields_of(&index).unwrap_or_default();
                Ok(Some(format!(
                    "record {id} has the same value of {fields} as another one; change it, then put the collection again"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn purge_page(&self, worker: &str, found: Stored<Purge>) -> Result<bool> {
        if !self.is_free(worker, found.value.since, found.value.claim.as_ref()) {
            return Ok(false);
        }
        let purge = Purge { claim: Some(self.claim(worker)), ..found.value };
        let claim = Collection::put(&found.id, &purge, Precondition::Version(found.version))?;
        if self.commit(Batch::of([claim])).await?.is_none() {
            return Ok(false);
        }
        let page = self.page_by_id(&purge.collection, None, PAGE).await?;
        for documents in pieces(&page, BATCH, |document| document.body.len()) {
            let delete = |document: &Document| Write::Delete {
                key: document.key.clone(),
                precondition: Precondition::Any,
            };
            self.commit(Batch::of(documents.into_iter().map(delete))).await?;
        }
        if page.len() < PAGE {
            let done = Collection::<Purge>::delete(&found.id, Precondition::Any);
            self.commit(Batch::of([done])).await?;
        }
        Ok(true)
    }
}

fn reindexed(compiled: &Compiled, document: &Document) -> Result<Write, Error> {
    let head = envelope::head(document)?;
    let meta = Meta {
        id: &document.key.id,
        created_at: head.created_at,
        updated_at: head.updated_at,
        created_by: head.created_by.as_deref(),
    };
    let entries = index::entries(&compiled.indexes, &meta, &envelope::data(document)?)?;
    let precondition = Precondition::Version(document.version);
    Ok(Write::Reindex { key: document.key.clone(), entries, precondition })
}

fn set_claim(definition: &mut Definition, claim: Claim) {
    if let Some(work) = &mut definition.reindex {
        work.claim = Some(claim);
    }
}

fn set_error(definition: &mut Definition, error: &str) {
    if let Some(work) = &mut definition.reindex {
        work.error = Some(error.to_owned());
    }
}

fn advance(definition: &mut Definition, page: &[Document]) {
    if let Some(work) = &mut definition.reindex {
        work.records_done += page.len() as u64;
        work.after = page.last().map(|document| document.key.id.clone());
    }
}
