//! A store that fails now and then: before a commit, or after it; and lets others go first.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError,
};

/// Numbers that are the same in every run.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound` (SplitMix64).
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[derive(Debug)]
pub(super) struct FaultyStore {
    inner: Arc<dyn Store>,
    dice: Mutex<Dice>,
    /// One call in so many fails.
    rarity: u64,
}

impl FaultyStore {
    pub(super) fn new(inner: Arc<dyn Store>, seed: u64, rarity: u64) -> Self {
        Self { inner, dice: Mutex::new(Dice::new(seed)), rarity }
    }

    fn roll(&self, bound: u64) -> u64 {
        self.dice.lock().unwrap().below(bound)
    }

    /// Others go on meanwhile; then this fails, or it does not.
    async fn pass(&self) -> Result<(), StoreError> {
        for _ in 0..self.roll(4) {
            tokio::task::yield_now().await;
        }
        if self.roll(self.rarity) == 0 { Err(StoreError::Timeout) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        self.pass().await?;
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        self.pass().await?;
        self.inner.get_many(keys).await
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        self.pass().await?;
        self.inner.query(query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        self.pass().await?;
        let done = self.inner.commit(batch).await?;
        self.pass().await.map_err(|_| StoreError::OutcomeUnknown("no answer".into()))?;
        Ok(done)
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        self.inner.scan(after, limit).await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        self.inner.migrate(mode).await
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        self.inner.purge_expired(limit).await
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        self.inner.probe().await
    }
}
