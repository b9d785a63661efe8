//! The store on PostgreSQL: the shared one.
//!
//! Reads share a few connections, each of which carries many at once (pipelining); commits take one
//! of a small pool each, and the server flushes those that come together in one go. All connections
//! of a handle are driven by the runtime that made it.

mod commit;
mod connect;
mod creates;
mod encode;
mod error;
mod lane;
mod lanes;
mod migrate;
mod options;
mod pool;
mod probe;
mod query;
mod replica;
mod statements;
#[cfg(test)]
mod tests;
mod tls;
mod url;

use std::sync::Arc;

use async_trait::async_trait;
use outrigger_kernel::Clock;
use outrigger_ports::gather::Gather;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError,
};

pub use options::PostgresOptions;
pub use replica::PostgresReplica;
pub use url::crosses_network_unverified;

use crate::bounds;
use crate::fault::Fault;
use connect::Connector;
use creates::Creates;
use lanes::Lanes;
use pool::Pool;
use probe::Purpose;
use statements::Which;

/// Most documents that one transaction purges: each takes a place in the server's lock table.
const PURGE_STEP: usize = 200;

/// A handle to a PostgreSQL database; make one per core, on the runtime that will use it.
#[derive(Debug)]
pub struct PostgresStore {
    connector: Arc<Connector>,
    lanes: Arc<Lanes>,
    replica: Option<Lanes>,
    /// Reads of one document each, of one turn of the event loop.
    gets: Gather<Key, query::Answer>,
    pool: Pool,
    creates: Creates,
    options: PostgresOptions,
    clock: Arc<dyn Clock>,
}

impl PostgresStore {
    /// Connects. Must be called on the runtime that will use the handle; the connections live on
    /// it. The tables are made by [`Store::migrate`]. Metrics go to the recorder that is installed
    /// by then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with the URL or why there is no connection.
    pub async fn connect(
        options: &PostgresOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let connector = Arc::new(Connector::new(&options.url, options)?);
        let replica = match &options.readonly_url {
            None => None,
            Some(url) => {
                let connector = Arc::new(Connector::new(url, options)?);
                // A replica that is away is no reason not to start.
                Some(Lanes::open(connector, options.read_connections, false).await?)
            }
        };
        let lanes = Lanes::open(Arc::clone(&connector), options.read_connections, true).await?;
        Ok(Self {
            lanes: Arc::new(lanes),
            replica,
            gets: Gather::unbounded(),
            pool: Pool::new(Arc::clone(&connector), options),
            creates: Creates::new(options.acquire_timeout),
            options: options.clone(),
            connector,
            clock,
        })
    }

    /// Where a list goes: to the replica when that is accepted and it is there.
    fn lanes_for(&self, may_lag: bool) -> &Lanes {
        match &self.replica {
            Some(replica) if may_lag && replica.is_up() => replica,
            _ => &self.lanes,
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        let (lanes, clock) = (Arc::clone(&self.lanes), Arc::clone(&self.clock));
        let asking = move |keys| async move { query::get_each(&lanes, keys, clock.now()).await };
        let lost = || StoreError::Internal(Fault::cause("a read got no answer"));
        self.gets.answer(key.clone(), asking).await.unwrap_or_else(|| Err(lost()))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        bounds::check_keys(keys)?;
        query::get_many(&self.lanes, keys, self.clock.now()).await
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        bounds::check_page(query.limit)?;
        if !bounds::may_exist(query.collection, query.order) {
            return Ok(Vec::new());
        }
        let lanes = self.lanes_for(query.may_lag);
        match query::query(lanes, query, self.clock.now()).await {
            // The replica went away just now.
            Err(StoreError::Unavailable(_)) if query.may_lag && self.replica.is_some() => {
                query::query(&self.lanes, query, self.clock.now()).await
            }
            answer => answer,
        }
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        bounds::check_batch(&batch)?;
        let now = self.clock.now();
        let batch = Arc::new(batch.without_dead_entries(now));
        if self.creates.create(&self.pool, self.connector.patience, &batch).await? {
            return Ok(vec![1]);
        }
        commit::commit(&self.pool, self.connector.patience, &batch, now).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        bounds::check_page(limit)?;
        query::scan(&self.lanes, after, limit, self.clock.now()).await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        migrate::migrate(&self.connector, mode, self.clock.now()).await
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        let mut purged = 0;
        while purged < limit {
            let step = i32::try_from(PURGE_STEP.min(limit - purged)).unwrap_or(i32::MAX);
            let now = self.clock.now().as_micros();
            let done =
                commit::run(&self.pool, self.connector.patience, Which::Purge, &[&now, &step])
                    .await?;
            if done == 0 {
                break;
            }
            purged += done;
        }
        Ok(purged)
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        let is = (Purpose::Store, self.connector.private);
        probe::probe(&self.lanes, &self.options, is, || self.clock.now()).await
    }
}
