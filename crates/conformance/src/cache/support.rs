//! What the tests of the cache suite share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::SystemRandom;
use outrigger_ports::cache::{Cache, CacheError, Hold, Lease, Lookup};
use outrigger_ports::cached::{CacheAside, Timing};
use outrigger_ports::probe::Probed;

/// Long enough for every test.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// So short that a test can wait for its end.
pub(super) const SHORT: Duration = Duration::from_millis(150);
/// A time after which something that should have happened will not.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again until the answer is there.
#[track_caller]
pub(super) fn eventually<T, Fut>(mut ask: impl FnMut() -> Fut) -> impl Future<Output = T>
where
    Fut: Future<Output = Option<T>>,
{
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}, at {caller}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The lease that a miss must give.
#[track_caller]
pub(super) fn leased(lookup: Result<Lookup, CacheError>) -> Lease {
    match lookup {
        Ok(Lookup::Miss(lease)) => lease,
        other => panic!("expected a lease, got {other:?}"),
    }
}

/// Fills a key that is missing.
pub(super) async fn fill_fresh(cache: &Arc<dyn Cache>, key: &str, value: &[u8]) {
    let lease = leased(cache.lookup(key, LONG).await);
    let value = Bytes::copy_from_slice(value);
    assert!(cache.fill(key, &lease, value, LONG).await.unwrap(), "{key} is filled");
}

pub(super) fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

/// Cache-aside with times for tests: nothing ends by itself, nobody gives up waiting.
pub(super) fn patient(cache: &Arc<dyn Cache>) -> Arc<CacheAside> {
    let timing = Timing { lease_for: LONG, hold_for: LONG, wait_for: LONG };
    aside(cache, timing)
}

pub(super) fn aside(cache: &Arc<dyn Cache>, timing: Timing) -> Arc<CacheAside> {
    Arc::new(CacheAside::with_timing(cache.clone(), Arc::new(SystemRandom), timing))
}

/// The cache, which can be taken away, and counts lookups that were answered.
#[derive(Debug)]
pub(super) struct Faulty {
    inner: Arc<dyn Cache>,
    away: AtomicBool,
    lookups: AtomicUsize,
}

impl Faulty {
    pub(super) fn new(inner: &Arc<dyn Cache>) -> Arc<Self> {
        Arc::new(Self {
            inner: inner.clone(),
            away: AtomicBool::new(false),
            lookups: AtomicUsize::new(0),
        })
    }

    pub(super) fn take_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    pub(super) fn bring_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// Waits until so many lookups have been answered. In one task with who looks up, that one
    /// has gone on until it waits for something else.
    pub(super) async fn answered(&self, lookups: usize) {
        eventually(|| async { (self.lookups.load(Ordering::SeqCst) >= lookups).then_some(()) })
            .await;
    }

    fn reach(&self) -> Result<&Arc<dyn Cache>, CacheError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(CacheError::Unavailable("taken away by the test".into()));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Cache for Faulty {
    async fn lookup(&self, key: &str, lease_for: Duration) -> Result<Lookup, CacheError> {
        let answer = self.reach()?.lookup(key, lease_for).await;
        self.lookups.fetch_add(1, Ordering::SeqCst);
        answer
    }

    async fn peek(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        self.reach()?.peek(key).await
    }

    async fn fill(
        &self,
        key: &str,
        lease: &Lease,
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        self.reach()?.fill(key, lease, value, ttl).await
    }

    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError> {
        self.reach()?.abandon(key, lease).await
    }

    async fn hold(&self, keys: &[String], hold_for: Duration) -> Result<Hold, CacheError> {
        self.reach()?.hold(keys, hold_for).await
    }

    async fn release(&self, keys: &[String], hold: &Hold) -> Result<(), CacheError> {
        self.reach()?.release(keys, hold).await
    }

    async fn probe(&self) -> Result<Probed, CacheError> {
        self.reach()?.probe().await
    }
}
