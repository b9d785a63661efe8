//! A limiter that saves round trips for generous quotas: it takes a slice of the quota from the
//! inner limiter at once and spends it here.
//!
//! **Never more.** Each unit that is allowed here was granted by the inner limiter before, at most
//! a second ago, and is spent once. So up to any instant at most as much is allowed as the inner
//! limiter has granted, and in any span of time at most what it granted in that span and the
//! second before it: the quota holds over every window that is one second longer than its period.
//!
//! **Not less, as long as everybody asks.** A unit is lost only when it is not spent within a
//! second. Slices are small against what remains (a 64th of it at most, and one at a time near the
//! end) and against what was spent of the slice before (twice as much at most), so an occasional
//! caller costs no more than the request itself. While several processes keep asking, together
//! they get exactly the quota: one asks the inner limiter only when it has nothing left itself.
//!
//! Refusals are remembered until their `retry_after`, so a flood costs no round trips; a key that
//! another process [forgives](Limiter::forgive) may be refused here until then.
//!
//! Quotas under 600, and those with escalation, always go to the inner limiter.

mod share;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use outrigger_kernel::Clock;

use crate::layered::outcomes::Outcomes;
use crate::limiter::{Decision, Limiter, LimiterError, Quota};
use crate::probe::Probed;
use share::{Local, Share};

/// Smaller quotas are not sliced.
const SLICED_MIN: u32 = 600;
const SHARDS: usize = 16;
/// Most keys of a shard; what is beyond always goes to the inner limiter.
const KEYS_MAX: usize = 8_192;
/// No sweep of a shard before it holds this many keys.
const SWEEP_MIN: usize = 128;
/// From one sweep of a shard to the next, in microseconds.
const SWEEP_PAUSE: i64 = 250_000;

/// See the module.
#[derive(Debug)]
pub struct LeasedLimiter {
    inner: Arc<dyn Limiter>,
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    /// What was decided here; the rest is counted by who is asked.
    by_slice: Outcomes,
}

#[derive(Debug)]
struct Shard {
    keys: HashMap<Box<str>, Share>,
    sweep_at: usize,
    /// No sweep before this instant: sweeping a full shard for each new key would be dear.
    sweep_after: i64,
}

impl LeasedLimiter {
    /// Takes slices from `inner`; `clock` decides when what is kept of them ends.
    pub fn new(inner: Arc<dyn Limiter>, clock: Arc<dyn Clock>) -> Self {
        let shard =
            || Mutex::new(Shard { keys: HashMap::new(), sweep_at: SWEEP_MIN, sweep_after: 0 });
        Self {
            by_slice: Outcomes::of("slice"),
            inner,
            clock,
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0);
        self.shards[hash % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_micros()
    }

    /// Asks the inner limiter for a slice, or at least for this request.
    async fn ask(
        &self,
        key: &str,
        quota: &Quota,
        cost: u32,
        extra: u32,
    ) -> Result<(Decision, u32), LimiterError> {
        if extra > 0 {
            let decision = self.inner.take(key, quota, cost.saturating_add(extra)).await?;
            if decision.allowed {
                return Ok((decision, extra));
            }
        }
        Ok((self.inner.take(key, quota, cost).await?, 0))
    }
}

impl Shard {
    /// What is known of the key here; decides when that suffices.
    fn decide(&mut self, key: &str, now: i64, cost: u32) -> Local {
        if let Some(share) = self.keys.get_mut(key) {
            return share.decide(now, cost);
        }
        if self.keys.len() >= self.sweep_at.min(KEYS_MAX) && now >= self.sweep_after {
            self.keys.retain(|_, share| !share.is_idle(now));
            self.sweep_at = (self.keys.len() * 2).max(SWEEP_MIN);
            self.keys.shrink_to(self.sweep_at);
            self.sweep_after = now + SWEEP_PAUSE;
        }
        if self.keys.len() < KEYS_MAX {
            self.keys.insert(key.into(), Share::asking());
        }
        Local::Ask { extra: 0, leads: true }
    }
}

/// Says in the end, also when dropped, that nobody asks for a slice of the key any more.
struct Asking<'a> {
    limiter: &'a LeasedLimiter,
    key: &'a str,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(share) = self.limiter.shard(self.key).keys.get_mut(self.key) {
            share.asked();
        }
    }
}

#[async_trait]
impl Limiter for LeasedLimiter {
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError> {
        if quota.limit < SLICED_MIN || quota.escalation.is_some() {
            return self.inner.take(key, quota, cost).await;
        }
        let cost = cost.max(1);
        let asked_at = self.now();
        let local = self.shard(key).decide(key, asked_at, cost);
        let (extra, leads) = match local {
            Local::Decided(decision) => {
                self.by_slice.count(&decision);
                return Ok(decision);
            }
            Local::Ask { extra, leads } => (extra, leads),
        };
        let _asking = leads.then_some(Asking { limiter: self, key });
        let (decision, extra) = self.ask(key, quota, cost, extra).await?;
        let now = self.now();
        match self.shard(key).keys.get_mut(key) {
            Some(share) => Ok(share.settle(asked_at, now, cost, extra, decision)),
            // Forgotten or forgiven meanwhile: the slice is lost, the request is not.
            None => Ok(decision),
        }
    }

    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError> {
        self.inner.give_back(key, quota, cost).await
    }

    async fn forgive(&self, key: &str) -> Result<(), LimiterError> {
        self.shard(key).keys.remove(key);
        self.inner.forgive(key).await
    }

    async fn probe(&self) -> Result<Probed, LimiterError> {
        self.inner.probe().await
    }
}
