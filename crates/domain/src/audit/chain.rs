//! Links entries of the audit log to those before them.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_kernel::{Ctx, Error, Result, Timestamp, limits};
use outrigger_ports::collection::{self, Collection, Entity, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{
    self, Batch, Document, Order, Position, Precondition, Query, Store, StoreError, Write,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{CHAIN, Entry, Link, OPEN};
use crate::ports::Ports;
use crate::vault::Vault;

/// Entries that are linked in one batch, beside the head.
const BATCH: usize = limits::BATCH_MAX - 1;
/// Batches of one call of [`Chain::extend`].
const BATCHES: usize = 50;
/// Bytes of a hash.
const HASH: usize = 32;
const LINK: &str = "link";

/// The id of the one document that says which entry is the newest.
const HEAD_ID: &str = "head";

/// The newest link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) hash: String,
    /// When the newest entry happened.
    #[serde(default)]
    pub(super) time: Option<Timestamp>,
    /// Whether what an earlier version has written is in the chain too.
    #[serde(default)]
    adopted: bool,
}

impl Entity for Head {
    const COLLECTION: &'static str = "sys.audit_chain";
    const NAME: &'static str = "head of the audit log";
}

/// The chain of the audit log.
#[derive(Clone, Debug)]
pub struct Chain {
    pub(super) store: Arc<dyn Store>,
    heads: Collection<Head>,
    vault: Arc<Vault>,
}

/// An entry as it is kept, whatever version of the program has written it.
pub(super) struct Kept {
    pub(super) id: String,
    /// When it happened.
    pub(super) time: Timestamp,
    /// All but the link.
    members: Map<String, Value>,
    pub(super) link: Option<Link>,
}

impl Kept {
    pub(super) fn of(document: &Document) -> Result<Self> {
        let mut members: Map<String, Value> =
            serde_json::from_slice(&document.body).map_err(Error::internal)?;
        let link = members.remove(LINK).map(serde_json::from_value).transpose();
        let link = link.map_err(Error::internal)?;
        let time = members.get("time").cloned().unwrap_or_default();
        let time = serde_json::from_value(time).map_err(Error::internal)?;
        Ok(Self { id: document.key.id.clone(), time, members, link })
    }
}

impl Chain {
    /// The chain in this store, under a key that comes from the master secret.
    pub(crate) fn new(ports: &Ports, vault: Arc<Vault>) -> Self {
        Self { store: ports.store.clone(), heads: ports.collection(), vault }
    }

    /// The newest link; number 0 when there is none.
    pub(super) async fn head(&self) -> Result<Stored<Head>> {
        if let Some(found) = self.heads.find(HEAD_ID).await? {
            return Ok(found);
        }
        let value = self.newest().await?.unwrap_or_default();
        Ok(Stored { id: HEAD_ID.to_owned(), version: 0, value })
    }

    /// The head of a log that came without it, as from an archive.
    async fn newest(&self) -> Result<Option<Head>> {
        let query = Query { descending: true, ..query(Order::Index(CHAIN), None, 1) };
        let Some(found) = self.store.query(&query).await?.pop() else { return Ok(None) };
        let Kept { time, link, .. } = Kept::of(&found.document)?;
        let adopted = false;
        Ok(link.map(|Link { number, hash, .. }| Head { number, hash, time: Some(time), adopted }))
    }

    /// Makes ready for the chain what an earlier version of the program has written, and tells how many that
    /// were: it knew nothing of it. The log is read for it once.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn adopt(&self, ctx: &Ctx) -> Result<usize> {
        ctx.require_admin()?;
        if self.head().await?.value.adopted {
            return Ok(0);
        }
        let (mut adopted, mut after, mut is_all) = (0, None, true);
        loop {
            let found = self.store.query(&query(Order::Id, after.take(), BATCH)).await?;
            let Some(last) = found.last() else { break };
            after = Some(last.position.clone());
            let mut batch = Batch::default();
            for document in found.into_iter().map(|found| found.document) {
                let Kept { time, link, .. } = Kept::of(&document)?;
                if link.is_none() {
                    let open = collection::entry(OPEN, index_value::of_time(time));
                    batch.writes.push(put(document, open));
                }
            }
            if batch.writes.is_empty() {
                continue;
            }
            match self.store.commit(batch).await {
                Ok(versions) => adopted += versions.len(),
                // Somebody has linked one of them meanwhile: the others are looked at next time.
                Err(StoreError::Precondition { .. }) => is_all = false,
                Err(error) => return Err(error.into()),
            }
        }
        if is_all {
            self.note_adopted().await?;
        }
        Ok(adopted)
    }

    /// Notes that nothing of an earlier version is left; when others link at the same time, the next one does.
    async fn note_adopted(&self) -> Result<()> {
        let Stored { id, version, value } = self.head().await?;
        let head = Head { adopted: true, ..value };
        let note = Collection::put(&id, &head, expected(version))?;
        match self.store.commit(Batch::of([note])).await {
            Ok(_) | Err(StoreError::Precondition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Links what is not linked yet; says whether there may be more. Any number of processes may do it.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn extend(&self) -> Result<bool> {
        for _ in 0..BATCHES {
            let open = self.open().await?;
            if open.is_empty() {
                return Ok(false);
            }
            let linked = open.len();
            match self.store.commit(self.links(open).await?).await {
                Ok(_) if linked < BATCH => return Ok(false),
                Ok(_) => {}
                // Another process was quicker.
                Err(StoreError::Precondition { .. }) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    async fn open(&self) -> Result<Vec<Document>> {
        let found = self.store.query(&query(Order::Index(OPEN), None, BATCH)).await?;
        Ok(found.into_iter().map(|found| found.document).collect())
    }

    async fn links(&self, open: Vec<Document>) -> Result<Batch> {
        let Stored { id, version, value: mut head } = self.head().await?;
        let mut batch = Batch::default();
        for document in open {
            let mut entry = Kept::of(&document)?;
            let (number, previous, previous_time) = (head.number + 1, head.hash, head.time);
            let mut link = Link { number, previous, previous_time, hash: String::new() };
            link.hash = self.hash(&link, &entry)?;
            head = Head { number, hash: link.hash.clone(), time: Some(entry.time), ..head };
            let value = serde_json::to_value(&link).map_err(Error::internal)?;
            entry.members.insert(LINK.to_owned(), value);
            let body = serde_json::to_vec(&entry.members).map_err(Error::internal)?;
            let document = Document { body: Bytes::from(body), ..document };
            batch.writes.push(put(document, link.entry()));
        }
        batch.writes.push(Collection::put(&id, &head, expected(version))?);
        Ok(batch)
    }

    /// The hash of this entry at this place.
    pub(super) fn hash(&self, link: &Link, entry: &Kept) -> Result<String> {
        let members = serde_json::to_string(&entry.members).map_err(Error::internal)?;
        let time = link.previous_time.map_or_else(String::new, |time| time.as_micros().to_string());
        let text = format!("{} {}\n{time}\n{}\n{members}", link.number, link.previous, entry.id);
        Ok(self.vault.mark("audit chain", &text, HASH))
    }
}

/// That the head is as it was found.
fn expected(version: u64) -> Precondition {
    if version == 0 { Precondition::Absent } else { Precondition::Version(version) }
}

/// Writes the document again, with this entry.
fn put(document: Document, entry: store::Entry) -> Write {
    let Document { key, version, body, expires_at } = document;
    let precondition = Precondition::Version(version);
    Write::Put { key, body, entries: vec![entry], expires_at, precondition }
}

/// Entries in this order.
pub(super) fn query(order: Order<'_>, after: Option<Position>, limit: usize) -> Query<'_> {
    Query {
        collection: Entry::COLLECTION,
        order,
        range: index_value::all(),
        descending: false,
        after,
        limit,
        may_lag: false,
    }
}
