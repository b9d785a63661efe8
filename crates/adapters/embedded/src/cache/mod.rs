//! A cache in memory, for one process: bounded by bytes, least recently used out first.

mod lru;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::Clock;
use outrigger_ports::cache::{Cache, CacheError, Hold, Lease, Lookup};
use outrigger_ports::probe::Probed;

use shard::Shard;

/// A shard is not smaller than this: a cache under twice this size has one shard, and its order of
/// eviction is exact.
const SHARD_BYTES_MIN: usize = 4 * 1024 * 1024;
const SHARDS_MAX: usize = 16;

/// A cache that keeps its values in this process.
///
/// The bound counts keys, values and what is kept of them; leases count too and may be evicted (a
/// fill is then refused). Holds are never evicted: they end when released or after their time.
#[derive(Debug)]
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    next_id: AtomicU64,
}

impl MemoryCache {
    /// An empty cache that holds up to `capacity_bytes`.
    pub fn new(capacity_bytes: usize, clock: Arc<dyn Clock>) -> Self {
        let count = (capacity_bytes / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX);
        let shard = || Mutex::new(Shard::new(capacity_bytes / count));
        Self {
            clock,
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(shard).take(count).collect(),
            next_id: AtomicU64::new(1),
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let place = match self.shards.len() {
            1 => 0,
            count => usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0) % count,
        };
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_micros()
    }

    fn until(&self, span: Duration) -> i64 {
        self.clock.now().plus(span).as_micros()
    }

    fn new_id(&self) -> u128 {
        u128::from(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn lookup(&self, key: &str, lease_for: Duration) -> Result<Lookup, CacheError> {
        let now = self.clock.now();
        let until = now.plus(lease_for).as_micros();
        Ok(self.shard(key).lookup(key, now.as_micros(), until, || self.new_id()))
    }

    async fn peek(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        let now = self.now();
        Ok(self.shard(key).peek(key, now))
    }

    async fn fill(
        &self,
        key: &str,
        lease: &Lease,
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let now = self.clock.now();
        let until = now.plus(ttl).as_micros();
        Ok(self.shard(key).fill(key, lease.0, value, now.as_micros(), until))
    }

    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError> {
        self.shard(key).abandon(key, lease.0);
        Ok(())
    }

    async fn hold(&self, keys: &[String], hold_for: Duration) -> Result<Hold, CacheError> {
        let id = self.new_id();
        let (now, until) = (self.now(), self.until(hold_for));
        for key in keys {
            self.shard(key).hold(key, id, now, until);
        }
        Ok(Hold(id))
    }

    async fn release(&self, keys: &[String], hold: &Hold) -> Result<(), CacheError> {
        for key in keys {
            self.shard(key).release(key, hold.0);
        }
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, CacheError> {
        let (mut entries, mut bytes) = (0, 0);
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            entries += shard.len();
            bytes += shard.bytes();
        }
        Ok(Probed {
            latency: Duration::ZERO,
            version: "memory".to_owned(),
            facts: vec![("entries", entries.to_string()), ("bytes", bytes.to_string())],
            findings: Vec::new(),
        })
    }
}
