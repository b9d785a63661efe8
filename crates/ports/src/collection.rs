//! A typed view of one collection of the store.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Error, Random, Result, Timestamp, random};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::index_value::{self, Range};
use crate::store::{
    Batch, Document, Entry, Key, Order, Position, Precondition, Query, Store, StoreError, Write,
};

/// How often [`Collection::update`] tries before it gives up.
const UPDATE_TRIES: u32 = 8;

/// A kind of document that Outrigger itself keeps.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    /// The collection, `sys.NAME`.
    const COLLECTION: &'static str;
    /// What a single one is called in messages.
    const NAME: &'static str;

    /// The index and unique entries of this one.
    fn entries(&self) -> Vec<Entry> {
        Vec::new()
    }

    /// When this one is gone.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A plain index entry.
pub fn entry(index: &str, value: Vec<u8>) -> Entry {
    Entry { index: index.to_owned(), value, unique: false }
}

/// A unique index entry.
pub fn unique(index: &str, value: Vec<u8>) -> Entry {
    Entry { index: index.to_owned(), value, unique: true }
}

/// An entity as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// Its id.
    pub id: String,
    /// Its version; 1 when created, one more with every put.
    pub version: u64,
    /// The entity.
    pub value: T,
}

/// The documents of one kind.
#[derive(Debug)]
pub struct Collection<T> {
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), random: self.random.clone(), kind: PhantomData }
    }
}

impl<T: Entity> Collection<T> {
    /// The collection of `T` in this store; `random` is for the jitter between tries.
    pub fn new(store: Arc<dyn Store>, random: Arc<dyn Random>) -> Self {
        Self { store, random, kind: PhantomData }
    }

    /// The store below, for batches over several collections.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key of the entity `id`.
    pub fn key(id: &str) -> Key {
        Key::new(T::COLLECTION, id)
    }

    /// The entity, if there is one.
    pub async fn find(&self, id: &str) -> Result<Option<Stored<T>>> {
        self.store.get(&Self::key(id)).await?.map(decode).transpose()
    }

    /// The entity.
    ///
    /// # Errors
    /// `not_found` when there is none.
    pub async fn get(&self, id: &str) -> Result<Stored<T>> {
        self.find(id).await?.ok_or_else(|| Error::not_found(T::NAME))
    }

    /// The entity with this value in a unique index, if there is one.
    pub async fn find_unique(&self, index: &str, value: Vec<u8>) -> Result<Option<Stored<T>>> {
        let query = Query {
            collection: T::COLLECTION,
            order: Order::Unique(index),
            range: index_value::exactly(value),
            descending: false,
            after: None,
            limit: 1,
            may_lag: false,
        };
        self.store.query(&query).await?.pop().map(|found| decode(found.document)).transpose()
    }

    /// Up to `limit` entities in an order, and where the next page starts, if there may be one.
    pub async fn list(
        &self,
        order: Order<'_>,
        range: Range,
        descending: bool,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<Stored<T>>, Option<Position>)> {
        let collection = T::COLLECTION;
        let query = Query { collection, order, range, descending, after, limit, may_lag: false };
        let found = self.store.query(&query).await?;
        let next =
            if found.len() < limit { None } else { found.last().map(|f| f.position.clone()) };
        let items = found.into_iter().map(|f| decode(f.document)).collect::<Result<_>>()?;
        Ok((items, next))
    }

    /// The write that puts this entity, for a batch.
    pub fn put(id: &str, value: &T, precondition: Precondition) -> Result<Write> {
        Ok(Write::Put {
            key: Self::key(id),
            body: encode(value)?,
            entries: value.entries(),
            expires_at: value.expires_at(),
            precondition,
        })
    }

    /// The write that deletes the entity, for a batch.
    pub fn delete(id: &str, precondition: Precondition) -> Write {
        Write::Delete { key: Self::key(id), precondition }
    }

    /// Reads, changes and writes the entity, again when somebody else was quicker. `change` may
    /// run several times.
    ///
    /// # Errors
    /// What `change` says; `not_found`; `concurrent_change` when others were quicker each time.
    pub async fn update(
        &self,
        id: &str,
        mut change: impl FnMut(&mut T) -> Result<()> + Send,
    ) -> Result<Stored<T>> {
        let mut tries = 0;
        loop {
            let mut stored = self.get(id).await?;
            change(&mut stored.value)?;
            let write = Self::put(id, &stored.value, Precondition::Version(stored.version))?;
            match self.store.commit(Batch::of([write])).await {
                Ok(versions) => {
                    stored.version = versions.first().copied().unwrap_or(stored.version + 1);
                    return Ok(stored);
                }
                Err(StoreError::Precondition { .. }) if tries < UPDATE_TRIES => {
                    tries += 1;
                    let micros = random::below(&*self.random, 1_000 << tries);
                    tokio::time::sleep(Duration::from_micros(micros)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Bytes> {
    serde_json::to_vec(value).map(Bytes::from).map_err(Error::internal)
}

/// Reads the entity out of its document.
pub fn decode<T: Entity>(document: Document) -> Result<Stored<T>> {
    let value = serde_json::from_slice(&document.body).map_err(Error::internal)?;
    Ok(Stored { id: document.key.id, version: document.version, value })
}
