//! The store.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use mongodb::bson::doc;
use outrigger_kernel::{Clock, Random, limits};
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError, bounds,
};

use crate::MongoOptions;
use crate::commit::Commit;
use crate::key::NAMES;
use crate::link::{Link, Session};
use crate::probe::Looked;
use crate::stored::Stored;
use crate::{key, migrate, purge, query, stored};

/// A handle to a database; make one per core, on the runtime that will use it.
#[derive(Debug)]
pub struct MongoStore {
    link: Arc<Link>,
    looked: Looked,
    clock: Arc<dyn Clock>,
}

impl MongoStore {
    /// Makes a handle; connections are opened when they are needed, on the calling runtime. The
    /// indexes are made by [`Store::migrate`]. Metrics go to the recorder that is installed by then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with the URL, or that the servers behind a name
    /// of `mongodb+srv://` cannot be looked up.
    pub async fn connect(
        options: &MongoOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let link = Arc::new(Link::new(options, random).await?);
        Ok(Self { link, looked: Looked::default(), clock })
    }

    /// The live ones among the documents with these `_id`s.
    async fn live(&self, ids: &[String]) -> Result<Vec<Stored>, StoreError> {
        use futures_util::TryStreamExt;
        let link = &self.link;
        let now = self.clock.now();
        let read = |budget: crate::link::Budget| async move {
            let mut session = link.session().await?;
            let found = async {
                let filter = match ids {
                    [id] => doc! { "_id": id },
                    _ => doc! { "_id": { "$in": ids } },
                };
                let Session { at, client } = &mut session;
                let find = at.documents.find(filter).projection(stored::whole());
                let most = u32::try_from(ids.len()).unwrap_or(u32::MAX);
                // One answer is enough, and needs no cursor.
                let mut cursor = find.batch_size(most + 1).session(&mut *client).await?;
                cursor.stream(client).try_collect::<Vec<Stored>>().await
            };
            let found = budget.spend(found).await?;
            link.saw(&session);
            Ok(found)
        };
        let mut found = link.ask(read).await?;
        found.retain(|stored| stored.is_live(now));
        Ok(found)
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        self.link.must_be_ready().await?;
        if !NAMES.may_be(key) {
            return Ok(None);
        }
        self.live(&[key::id(key)]).await?.pop().map(Stored::document).transpose()
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        bounds::check_number("number of keys", keys.len(), 0, limits::GET_MANY_MAX)?;
        self.link.must_be_ready().await?;
        let mut ids: Vec<String> =
            keys.iter().filter(|key| NAMES.may_be(key)).map(key::id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut found = HashMap::with_capacity(ids.len());
        if !ids.is_empty() {
            for stored in self.live(&ids).await? {
                let document = stored.document()?;
                found.insert(document.key.clone(), document);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        bounds::check_number("limit", query.limit, 1, limits::QUERY_LIMIT_MAX)?;
        self.link.must_be_ready().await?;
        if !NAMES.may_exist(query.collection, query.order) {
            return Ok(Vec::new());
        }
        query::run(&self.link, query, self.clock.now()).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        NAMES.check(&batch)?;
        self.link.must_be_ready().await?;
        let now = self.clock.now();
        let batch = batch.without_dead_entries(now);
        Commit::new(&self.link, now).run(&batch).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        bounds::check_number("limit", limit, 1, limits::QUERY_LIMIT_MAX)?;
        self.link.must_be_ready().await?;
        query::scan(&self.link, after, limit, self.clock.now()).await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        migrate::run(&self.link, mode).await
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        self.link.must_be_ready().await?;
        purge::run(&self.link, limit, self.clock.now()).await
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        self.link.must_be_ready().await?;
        self.looked.probe(&self.link).await
    }
}
