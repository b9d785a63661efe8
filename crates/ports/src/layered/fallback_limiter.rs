//! A limiter that goes on locally while the shared one is away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::span;

use crate::limiter::{Decision, Limiter, LimiterError, Quota};
use crate::probe::Probed;

use super::breaker::Breaker;
use super::outcomes::Outcomes;

/// Asks the primary limiter, and the local one when the primary is away or too slow.
///
/// While the primary is away each process allows the whole quota: limits are then by process, not
/// shared. Counts in `outrigger_limiter_decisions_total{outcome="allowed|refused",
/// by="primary|local"}`.
#[derive(Debug)]
pub struct FallbackLimiter {
    primary: Arc<dyn Limiter>,
    local: Arc<dyn Limiter>,
    breaker: Arc<Breaker>,
    timeout: Duration,
    by_primary: Outcomes,
    by_local: Outcomes,
}

impl FallbackLimiter {
    /// Asks `primary`, which may take `timeout`, behind `breaker`; else `local`.
    pub fn new(
        primary: Arc<dyn Limiter>,
        local: Arc<dyn Limiter>,
        breaker: Arc<Breaker>,
        timeout: Duration,
    ) -> Self {
        let (by_primary, by_local) = (Outcomes::of("primary"), Outcomes::of("local"));
        Self { primary, local, breaker, timeout, by_primary, by_local }
    }
}

fn late<T>(_: tokio::time::error::Elapsed) -> Result<T, LimiterError> {
    Err(LimiterError::Unavailable("no answer in time".into()))
}

fn code(error: &LimiterError) -> &'static str {
    match error {
        LimiterError::Unavailable(_) => "unavailable",
        LimiterError::Skipped => "skipped",
    }
}

#[async_trait]
impl Limiter for FallbackLimiter {
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError> {
        if let Some(pass) = self.breaker.enter() {
            let asking = async {
                let answer = self.primary.take(key, quota, cost);
                tokio::time::timeout(self.timeout, answer).await.unwrap_or_else(late)
            };
            if let Ok(decision) = pass.count(span::within("limiter.take", code, asking).await) {
                self.by_primary.count(&decision);
                return Ok(decision);
            }
        }
        let decision = self.local.take(key, quota, cost).await?;
        self.by_local.count(&decision);
        Ok(decision)
    }

    /// Gives back locally, where hardly ever is anything taken, and on the primary when that can be
    /// reached.
    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError> {
        self.local.give_back(key, quota, cost).await?;
        if let Some(pass) = self.breaker.enter() {
            let answer = self.primary.give_back(key, quota, cost);
            let answer = tokio::time::timeout(self.timeout, answer).await;
            let _ = pass.count(answer.unwrap_or_else(late));
        }
        Ok(())
    }

    /// Forgives locally, and on the primary when that can be reached.
    async fn forgive(&self, key: &str) -> Result<(), LimiterError> {
        self.local.forgive(key).await?;
        if let Some(pass) = self.breaker.enter() {
            let answer = tokio::time::timeout(self.timeout, self.primary.forgive(key)).await;
            let _ = pass.count(answer.unwrap_or_else(late));
        }
        Ok(())
    }

    /// Asks the primary, also while the breaker is open; a good answer closes it.
    async fn probe(&self) -> Result<Probed, LimiterError> {
        let pass = self.breaker.enter_anyway();
        let answer = tokio::time::timeout(self.timeout, self.primary.probe()).await;
        pass.count(answer.unwrap_or_else(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::leased_limiter::tests::Specified;
    use crate::layered::recorded::recorded;
    use outrigger_kernel::{ManualClock, SystemRandom, Timestamp};
    use std::sync::atomic::Ordering;

    const QUOTA: Quota = Quota { limit: 2, period: Duration::from_secs(60), escalation: None };

    #[tokio::test]
    async fn it_goes_on_locally_while_the_primary_is_away() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let primary = Arc::new(Specified::new(clock.clone()));
        let local = Arc::new(Specified::new(clock.clone()));
        let breaker = Arc::new(Breaker::new("test", clock.clone(), Arc::new(SystemRandom)));
        let limiter = FallbackLimiter::new(
            primary.clone(),
            local.clone(),
            breaker.clone(),
            Duration::from_secs(5),
        );
        let allowed = async || limiter.take("k", &QUOTA, 1).await.unwrap().allowed;
        assert!(allowed().await && allowed().await && !allowed().await);
        assert_eq!(local.calls(), 0);
        primary.away.store(true, Ordering::SeqCst);
        assert!(allowed().await && allowed().await && !allowed().await);
        assert!(breaker.is_open());
        let asked = primary.calls();
        assert!(!allowed().await);
        limiter.forgive("k").await.unwrap();
        assert!(allowed().await);
        assert_eq!(primary.calls(), asked, "an open breaker keeps calls away");
        assert!(limiter.probe().await.is_err());
        primary.away.store(false, Ordering::SeqCst);
        assert!(limiter.probe().await.is_ok() && !breaker.is_open());
        assert!(!allowed().await, "the primary remembers");
        limiter.forgive("k").await.unwrap();
        assert!(allowed().await);
    }

    #[tokio::test]
    async fn a_primary_that_fails_is_an_error_of_its_call() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let primary = Arc::new(Specified::new(clock.clone()));
        let take = async || {
            let breaker = Arc::new(Breaker::new("test", clock.clone(), Arc::new(SystemRandom)));
            let local = Arc::new(Specified::new(clock.clone()));
            let patience = Duration::from_secs(5);
            let limiter = FallbackLimiter::new(primary.clone(), local, breaker, patience);
            let (decision, calls) = recorded(limiter.take("k", &QUOTA, 1)).await;
            assert!(decision.unwrap().allowed);
            assert_eq!(calls.len(), 1, "{calls:?}");
            assert_eq!(calls[0].0, "limiter.take");
            calls[0].1.clone()
        };
        assert_eq!(take().await, None);
        primary.away.store(true, Ordering::SeqCst);
        assert_eq!(take().await.as_deref(), Some("unavailable"));
    }
}
