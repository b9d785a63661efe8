//! A limiter in memory, for one process; bounded however many keys are asked for.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::Clock;
use outrigger_ports::limiter::{Decision, Limiter, LimiterError, Quota, State, decide, given_back};
use outrigger_ports::probe::Probed;

const SHARDS: usize = 64;
/// Most keys that are kept, over all shards.
const KEYS_MAX: usize = 1_000_000;
/// No sweep of a shard before it holds this many keys.
const SWEEP_MIN: usize = 256;

/// A limiter that keeps its state in this process.
///
/// Keys whose state is as new are forgotten. Beyond 1,000,000 keys that are not, those go first
/// that would be as new the soonest, so a flood of keys cannot wash out long penalties.
#[derive(Debug)]
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Debug)]
struct Shard {
    keys: HashMap<Box<str>, Kept>,
    sweep_at: usize,
    keys_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    state: State,
    /// From this instant on the state is as new; microseconds since the Unix epoch.
    as_new_at: i64,
}

impl MemoryLimiter {
    /// A limiter that knows no key yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(clock, KEYS_MAX)
    }

    fn with_capacity(clock: Arc<dyn Clock>, keys_max: usize) -> Self {
        let keys_max = (keys_max / SHARDS).max(1);
        let shard = || Mutex::new(Shard { keys: HashMap::new(), sweep_at: SWEEP_MIN, keys_max });
        Self {
            clock,
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0);
        self.shards[hash % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        let len =
            |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).keys.len();
        self.shards.iter().map(len).sum()
    }
}

impl Shard {
    fn take(&mut self, key: &str, now: i64, quota: &Quota, cost: u32) -> Decision {
        if let Some(kept) = self.keys.get_mut(key) {
            let (decision, state) = decide(kept.state, now, quota, cost);
            *kept = Kept { state, as_new_at: as_new_at(&state, quota) };
            return decision;
        }
        let (decision, state) = decide(State::default(), now, quota, cost);
        if self.keys.len() >= self.sweep_at.min(self.keys_max) {
            self.sweep(now);
        }
        self.keys.insert(key.into(), Kept { state, as_new_at: as_new_at(&state, quota) });
        decision
    }

    /// Forgets what is as new, and more when that is not enough. It leaves room for as many new
    /// keys as it has looked at, or half of the bound: so a sweep costs each key little.
    fn sweep(&mut self, now: i64) {
        self.keys.retain(|_, kept| kept.as_new_at > now);
        if self.keys.len() > self.keys_max / 2 {
            let mut ends: Vec<i64> = self.keys.values().map(|kept| kept.as_new_at).collect();
            let excess = ends.len() - self.keys_max / 2;
            let (_, &mut last, _) = ends.select_nth_unstable(excess - 1);
            let mut left = excess;
            self.keys.retain(|_, kept| {
                let goes = left > 0 && kept.as_new_at <= last;
                left -= usize::from(goes);
                !goes
            });
        }
        self.sweep_at = (self.keys.len() * 2).max(SWEEP_MIN);
        self.keys.shrink_to(self.sweep_at);
    }
}

fn as_new_at(state: &State, quota: &Quota) -> i64 {
    let forgotten = match quota.escalation {
        Some(escalation) if state.strikes > 0 => {
            let span = i64::try_from(escalation.forget_after.as_micros()).unwrap_or(i64::MAX);
            state.struck_at.saturating_add(span)
        }
        _ => 0,
    };
    state.tat.max(state.closed_until).max(forgotten)
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError> {
        // The time is read under the lock, so that it never runs backwards for a key.
        let mut shard = self.shard(key);
        let now = self.clock.now().as_micros();
        Ok(shard.take(key, now, quota, cost.max(1)))
    }

    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError> {
        if let Some(kept) = self.shard(key).keys.get_mut(key) {
            let state = given_back(kept.state, quota, cost);
            *kept = Kept { state, as_new_at: as_new_at(&state, quota) };
        }
        Ok(())
    }

    async fn forgive(&self, key: &str) -> Result<(), LimiterError> {
        self.shard(key).keys.remove(key);
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, LimiterError> {
        Ok(Probed {
            latency: Duration::ZERO,
            version: "memory".to_owned(),
            facts: vec![("keys", self.len().to_string())],
            findings: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::{ManualClock, Timestamp};
    use outrigger_ports::limiter::Escalation;

    const QUOTA: Quota = Quota { limit: 10, period: Duration::from_secs(10), escalation: None };

    fn start() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)))
    }

    #[tokio::test]
    async fn keys_that_are_as_new_are_forgotten() {
        let clock = start();
        let limiter = MemoryLimiter::new(clock.clone());
        for round in 0..20 {
            for n in 0..20_000 {
                limiter.take(&format!("{round}-{n}"), &QUOTA, 1).await.unwrap();
            }
            clock.advance(Duration::from_secs(2));
        }
        assert!(limiter.len() <= 80_000, "{} of 400,000 keys are kept", limiter.len());
    }

    #[tokio::test]
    async fn a_flood_of_keys_stays_bounded_and_does_not_wash_out_a_penalty() {
        let limiter = MemoryLimiter::with_capacity(start(), 6_400);
        let escalation = Escalation {
            base: Duration::from_secs(60),
            cap: Duration::from_secs(60),
            forget_after: Duration::from_secs(600),
        };
        let strict = Quota { limit: 1, escalation: Some(escalation), ..QUOTA };
        limiter.take("villain", &strict, 1).await.unwrap();
        assert!(!limiter.take("villain", &strict, 1).await.unwrap().allowed);
        for n in 0..100_000 {
            limiter.take(&n.to_string(), &QUOTA, 1).await.unwrap();
            assert!(limiter.len() <= 6_400);
        }
        let decision = limiter.take("villain", &strict, 1).await.unwrap();
        assert_eq!(decision.retry_after, Duration::from_secs(60));
    }
}
