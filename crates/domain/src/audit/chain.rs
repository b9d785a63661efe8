//! Links entries of the audit log to those before them.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_kernel::{Error, Result, limits};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{
    Batch, Document, Order, Precondition, Query, Store, StoreError, Write,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{Entry, Link, OPEN};
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
        Ok(Self { id: document.key.id.clone(), members, link })
    }
}

impl Chain {
    /// The chain in this store, under a key that comes from the master secret.
    pub(crate) fn new(ports: &Ports, vault: Arc<Vault>) -> Self {
        Self { store: ports.store.clone(), heads: ports.collection(), vault }
    }

    /// The newest link; number 0 when there is none.
    pub(super) async fn head(&self) -> Result<Stored<Head>> {
        let found = self.heads.find(HEAD_ID).await?;
        Ok(found.unwrap_or_else(|| Stored {
            id: HEAD_ID.to_owned(),
            version: 0,
            value: Head::default(),
        }))
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
        let query = Query {
            collection: Entry::COLLECTION,
            order: Order::Index(OPEN),
            range: index_value::all(),
            descending: false,
            after: None,
            limit: BATCH,
            may_lag: false,
        };
        let found = self.store.query(&query).await?;
        Ok(found.into_iter().map(|found| found.document).collect())
    }

    async fn links(&self, open: Vec<Document>) -> Result<Batch> {
        let Stored { id, version, value: mut head } = self.head().await?;
        let mut batch = Batch::default();
        for document in open {
            let mut entry = Kept::of(&document)?;
            let hash = self.hash(&head.hash, &entry)?;
            let number = head.number + 1;
            let link = Link { number, previous: head.hash, hash: hash.clone() };
            let value = serde_json::to_value(&link).map_err(Error::internal)?;
            entry.members.insert(LINK.to_owned(), value);
            let body = serde_json::to_vec(&entry.members).map_err(Error::internal)?;
            batch.writes.push(Write::Put {
                key: document.key,
                body: Bytes::from(body),
                entries: vec![link.entry()],
                expires_at: document.expires_at,
                precondition: Precondition::Version(document.version),
            });
            head = Head { number, hash };
        }
        let expected =
            if version == 0 { Precondition::Absent } else { Precondition::Version(version) };
        batch.writes.push(Collection::put(&id, &head, expected)?);
        Ok(batch)
    }

    /// The hash of the entry after this one.
    pub(super) fn hash(&self, previous: &str, entry: &Kept) -> Result<String> {
        let members = serde_json::to_string(&entry.members).map_err(Error::internal)?;
        let text = format!("{previous}\n{}\n{members}", entry.id);
        Ok(self.vault.mark("audit chain", &text, HASH))
    }
}
