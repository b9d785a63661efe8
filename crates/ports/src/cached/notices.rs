//! Where processes tell each other what they have changed without the cache having heard of it.
//!
//! A process that cannot reach the cache may end before it can make that good, and others may still
//! reach the cache and believe what is in it. So it puts up a notice in the store before it
//! commits, one for the whole process; the others read all notices a few times a second.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::{Clock, Random, Result, Timestamp, limits};
use serde::{Deserialize, Serialize};

use crate::collection::{Collection, Entity};
use crate::index_value;
use crate::store::{Batch, Order, Precondition, Store};

/// Nothing is cached for longer.
const LIFE: Duration = Duration::from_secs(limits::CACHE_TTL_S_MAX as u64);
/// Notices read at once.
const PAGE: usize = 100;

/// What one process has changed, or is about to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Greater than the number of each of its keys; grows with each write.
    pub next: u64,
    /// Keys with the number of the last write of each.
    pub keys: Vec<(u64, String)>,
    /// There were too many keys: it may be any.
    pub any: bool,
}

/// The notices of all processes.
#[async_trait]
pub trait Notices: Send + Sync + std::fmt::Debug {
    /// Puts up the notice of `process` in place of its last one. After `Ok`, everybody sees it who
    /// begins to read.
    async fn put_up(&self, process: &str, notice: &Notice) -> Result<()>;

    /// Takes down the notice of `process`.
    async fn take_down(&self, process: &str) -> Result<()>;

    /// The notice of each process that has one up.
    async fn read(&self) -> Result<Vec<(String, Notice)>>;
}

/// Notices as documents of the store; those of processes that have ended expire.
#[derive(Debug)]
pub struct StoredNotices {
    documents: Collection<Document>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    notice: Notice,
    expires_at: Timestamp,
}

impl Entity for Document {
    const COLLECTION: &'static str = "sys.notices";
    const NAME: &'static str = "notice";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl StoredNotices {
    /// Those of all processes on this store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { documents: Collection::new(store, random), clock }
    }
}

#[async_trait]
impl Notices for StoredNotices {
    async fn put_up(&self, process: &str, notice: &Notice) -> Result<()> {
        let document = Document { notice: notice.clone(), expires_at: self.clock.now().plus(LIFE) };
        let put = Collection::put(process, &document, Precondition::Any)?;
        self.documents.store().commit(Batch::of([put])).await?;
        Ok(())
    }

    async fn take_down(&self, process: &str) -> Result<()> {
        let delete = Collection::<Document>::delete(process, Precondition::Any);
        self.documents.store().commit(Batch::of([delete])).await?;
        Ok(())
    }

    async fn read(&self) -> Result<Vec<(String, Notice)>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.documents.list(Order::Id, index_value::all(), false, after, PAGE).await?;
            all.extend(page.0.into_iter().map(|stored| (stored.id, stored.value.notice)));
            after = page.1;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}
