//! The store.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use outrigger_kernel::{Clock, Random, limits};
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError, bounds,
};

use crate::DynamoOptions;
use crate::collections::Collections;
use crate::commit::Commit;
use crate::item::Stored;
use crate::key::{ItemKey, NAMES};
use crate::link::Link;
use crate::meter::Call;
use crate::probe::Looked;
use crate::{batch_get, migrate, purge, query, scan};

/// A handle to a table; make one per core, on the runtime that will use it.
#[derive(Debug)]
pub struct DynamoStore {
    link: Arc<Link>,
    collections: Collections,
    looked: Looked,
    clock: Arc<dyn Clock>,
}

impl DynamoStore {
    /// Makes a handle; connections are opened when they are needed, on the calling runtime. The table
    /// is made by [`Store::migrate`]. Metrics go to the recorder that is installed by then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with the URL.
    pub async fn connect(
        options: &DynamoOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let link = Arc::new(Link::new(options, random).await?);
        Ok(Self { link, collections: Collections::default(), looked: Looked::default(), clock })
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        if !NAMES.may_be(key) {
            return Ok(None);
        }
        let place = ItemKey::document(key).attributes();
        let request = self.link.client.get_item().table_name(self.link.table());
        let request = request
            .set_key(Some(place))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.link.ask(|| request.clone().send()).await?;
        self.link.meter.read(Call::Get, answer.consumed_capacity.as_slice());
        let stored = answer.item.map(Stored::of).transpose()?;
        let live = stored.filter(|stored| stored.is_live(self.clock.now()));
        Ok(live.map(|stored| stored.document(key.clone())))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        bounds::check_number("number of keys", keys.len(), 0, limits::GET_MANY_MAX)?;
        batch_get::get_many(&self.link, keys, self.clock.now()).await
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        bounds::check_number("limit", query.limit, 1, limits::QUERY_LIMIT_MAX)?;
        if !NAMES.may_exist(query.collection, query.order) {
            return Ok(Vec::new());
        }
        query::run(&self.link, query, self.clock.now()).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        NAMES.check(&batch)?;
        let now = self.clock.now();
        let batch = batch.without_dead_entries(now);
        self.collections.note(&self.link, &batch).await?;
        Commit::new(&self.link, now, Call::Commit).run(&batch).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        bounds::check_number("limit", limit, 1, limits::QUERY_LIMIT_MAX)?;
        scan::run(&self.link, after, limit, self.clock.now()).await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        migrate::run(&self.link, mode).await
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        purge::run(&self.link, limit, self.clock.now()).await
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        self.looked.probe(&self.link).await
    }
}
