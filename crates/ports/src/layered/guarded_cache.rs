//! A cache behind a breaker.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::span;

use crate::cache::{Cache, CacheError, Hold, Lease, Lookup};
use crate::probe::Probed;

use super::breaker::Breaker;

/// The same cache; while the breaker is open calls fail at once with [`CacheError::Skipped`]. Values are not taken until the cache has answered for a while
/// again: what it kept while it was away may be old, and whoever changed it meanwhile says so first.
/// Calls are spans `cache.lookup`, `cache.fill` and so on.
#[derive(Debug)]
pub struct GuardedCache {
    inner: Arc<dyn Cache>,
    breaker: Arc<Breaker>,
}

impl GuardedCache {
    /// Guards `inner`.
    pub fn new(inner: Arc<dyn Cache>, breaker: Arc<Breaker>) -> Self {
        Self { inner, breaker }
    }

    async fn guard<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, CacheError>> + Send,
    ) -> Result<T, CacheError> {
        match self.breaker.enter() {
            Some(pass) => pass.count(span::within(name, code, call).await),
            None => Err(CacheError::Skipped),
        }
    }

    /// As [`Self::guard`], for calls that return a value.
    async fn trusted<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, CacheError>> + Send,
    ) -> Result<T, CacheError> {
        if self.breaker.is_settling() {
            return Err(CacheError::Skipped);
        }
        let found = self.guard(name, call).await?;
        // It may have been this very call that found the cache to be back.
        if self.breaker.is_settling() { Err(CacheError::Skipped) } else { Ok(found) }
    }
}

fn code(error: &CacheError) -> &'static str {
    match error {
        CacheError::Unavailable(_) => "unavailable",
        CacheError::Skipped => "skipped",
    }
}

#[async_trait]
impl Cache for GuardedCache {
    async fn lookup(&self, key: &str, lease_for: Duration) -> Result<Lookup, CacheError> {
        self.trusted("cache.lookup", self.inner.lookup(key, lease_for)).await
    }

    async fn peek(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        self.trusted("cache.peek", self.inner.peek(key)).await
    }

    async fn fill(
        &self,
        key: &str,
        lease: &Lease,
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        self.guard("cache.fill", self.inner.fill(key, lease, value, ttl)).await
    }

    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError> {
        self.guard("cache.abandon", self.inner.abandon(key, lease)).await
    }

    async fn hold(&self, keys: &[String], hold_for: Duration) -> Result<Hold, CacheError> {
        self.guard("cache.hold", self.inner.hold(keys, hold_for)).await
    }

    async fn release(&self, keys: &[String], hold: &Hold) -> Result<(), CacheError> {
        self.guard("cache.release", self.inner.release(keys, hold)).await
    }

    /// Asks also while the breaker is open; a good answer closes it.
    async fn probe(&self) -> Result<Probed, CacheError> {
        let pass = self.breaker.enter_anyway();
        pass.count(self.inner.probe().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::breaker::SETTLING;
    use outrigger_kernel::{ManualClock, SystemRandom, Timestamp};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A cache whose first calls fail, and which then knows nothing.
    #[derive(Debug, Default)]
    struct Failing {
        failures: usize,
        calls: AtomicUsize,
    }

    impl Failing {
        fn call(&self) -> Result<(), CacheError> {
            match self.calls.fetch_add(1, Ordering::SeqCst) < self.failures {
                true => Err(CacheError::Unavailable("no answer".into())),
                false => Ok(()),
            }
        }
    }

    #[async_trait]
    impl Cache for Failing {
        async fn lookup(&self, _: &str, _: Duration) -> Result<Lookup, CacheError> {
            self.call()?;
            Ok(Lookup::Loading)
        }

        async fn peek(&self, _: &str) -> Result<Option<Bytes>, CacheError> {
            self.call()?;
            Ok(None)
        }

        async fn fill(
            &self,
            _: &str,
            _: &Lease,
            _: Bytes,
            _: Duration,
        ) -> Result<bool, CacheError> {
            self.call()?;
            Ok(false)
        }

        async fn abandon(&self, _: &str, _: &Lease) -> Result<(), CacheError> {
            self.call()?;
            Ok(())
        }

        async fn hold(&self, _: &[String], _: Duration) -> Result<Hold, CacheError> {
            self.call()?;
            Ok(Hold(1))
        }

        async fn release(&self, _: &[String], _: &Hold) -> Result<(), CacheError> {
            self.call()?;
            Ok(())
        }

        async fn probe(&self) -> Result<Probed, CacheError> {
            self.call()?;
            Ok(Probed::default())
        }
    }

    #[tokio::test]
    async fn a_failing_cache_is_left_alone_until_it_answers() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let breaker = Arc::new(Breaker::new("test", clock.clone(), Arc::new(SystemRandom)));
        let inner = Arc::new(Failing { failures: 4, ..Failing::default() });
        let cache = GuardedCache::new(inner.clone(), breaker.clone());
        for _ in 0..3 {
            assert!(matches!(cache.peek("k").await, Err(CacheError::Unavailable(_))));
        }
        assert!(breaker.is_open());
        let keys = ["k".to_owned()];
        assert!(matches!(cache.peek("k").await, Err(CacheError::Skipped)));
        assert!(matches!(cache.hold(&keys, Duration::ZERO).await, Err(CacheError::Skipped)));
        assert_eq!(inner.calls.load(Ordering::SeqCst), 3);
        assert!(cache.probe().await.is_err(), "a probe asks anyway");
        assert_eq!(inner.calls.load(Ordering::SeqCst), 4);
        assert!(cache.probe().await.is_ok());
        assert!(!breaker.is_open());
        assert!(matches!(cache.lookup("k", Duration::ZERO).await, Err(CacheError::Skipped)));
        assert!(cache.hold(&keys, Duration::ZERO).await.is_ok(), "writers say what they did");
        clock.advance(SETTLING);
        assert_eq!(cache.lookup("k", Duration::ZERO).await.unwrap(), Lookup::Loading);
    }
}
