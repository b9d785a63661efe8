//! Never more than the inner limiter grants, and exactly the quota while everybody asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_kernel::{ManualClock, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::limiter::{Escalation, State, decide, given_back};

/// A limiter that is nothing but the specification; it can be away, and remembers what it granted.
#[derive(Debug)]
pub(in crate::layered) struct Specified {
    clock: Arc<dyn Clock>,
    states: Mutex<HashMap<String, State>>,
    /// When, and how much; a refusal is zero.
    answers: Mutex<Vec<(i64, u32)>>,
    pub(in crate::layered) away: AtomicBool,
}

impl Specified {
    pub(in crate::layered) fn new(clock: Arc<dyn Clock>) -> Self {
        let (states, answers) = (Mutex::default(), Mutex::default());
        Self { clock, states, answers, away: AtomicBool::new(false) }
    }

    pub(in crate::layered) fn calls(&self) -> usize {
        self.answers.lock().unwrap().len()
    }

    fn granted(&self) -> u32 {
        self.answers.lock().unwrap().iter().map(|(_, granted)| granted).sum()
    }

    fn reach(&self) -> Result<(), LimiterError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(LimiterError::Unavailable("taken away by the test".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Limiter for Specified {
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError> {
        self.reach()?;
        let now = self.clock.now().as_micros();
        let mut states = self.states.lock().unwrap();
        let state = states.entry(key.to_owned()).or_default();
        let (decision, next) = decide(*state, now, quota, cost);
        *state = next;
        self.answers.lock().unwrap().push((now, if decision.allowed { cost } else { 0 }));
        Ok(decision)
    }

    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError> {
        self.reach()?;
        if let Some(state) = self.states.lock().unwrap().get_mut(key) {
            *state = given_back(*state, quota, cost);
        }
        Ok(())
    }

    async fn forgive(&self, key: &str) -> Result<(), LimiterError> {
        self.reach()?;
        self.states.lock().unwrap().remove(key);
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, LimiterError> {
        self.reach()?;
        Ok(Probed::default())
    }
}

const QUOTA: Quota = Quota { limit: 6_000, period: Duration::from_secs(60), escalation: None };

struct Bed {
    clock: Arc<ManualClock>,
    inner: Arc<Specified>,
    leased: [LeasedLimiter; 2],
}

fn bed() -> Bed {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let inner = Arc::new(Specified::new(clock.clone()));
    let leased = || LeasedLimiter::new(inner.clone(), clock.clone());
    Bed { leased: [leased(), leased()], clock: clock.clone(), inner: inner.clone() }
}

/// Runs a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("nothing to wait for")
}

#[test]
fn both_together_get_exactly_the_quota() {
    for limit in [600, 601, 6_000, 6_100] {
        let quota = Quota { limit, ..QUOTA };
        let bed = bed();
        let mut allowed = 0;
        let mut refused = [false; 2];
        for n in 0_usize.. {
            // One asks more often than the other.
            let who = usize::from(n % 3 == 0);
            let decision = now(bed.leased[who].take("k", &quota, 1)).unwrap();
            allowed += u32::from(decision.allowed);
            refused[who] = !decision.allowed;
            if refused == [true; 2] {
                break;
            }
        }
        assert_eq!(allowed, limit);
        let calls = u32::try_from(bed.inner.calls()).unwrap();
        assert!(calls < 150 + limit / 6, "{calls} round trips for {limit}");
    }
}

#[test]
fn a_busy_key_costs_few_round_trips_and_a_flood_none() {
    let bed = bed();
    let leased = &bed.leased[0];
    for _ in 0..5_000 {
        assert!(now(leased.take("k", &QUOTA, 1)).unwrap().allowed);
    }
    assert!(bed.inner.calls() < 250, "{} round trips for 5,000", bed.inner.calls());
    while now(leased.take("k", &QUOTA, 1)).unwrap().allowed {}
    let (calls, refused) = (bed.inner.calls(), now(leased.take("k", &QUOTA, 1)).unwrap());
    for _ in 0..10_000 {
        assert_eq!(now(leased.take("k", &QUOTA, 1)).unwrap(), refused);
    }
    assert_eq!(bed.inner.calls(), calls);
    bed.clock.advance(refused.retry_after);
    assert!(now(leased.take("k", &QUOTA, 1)).unwrap().allowed, "retry_after is honest");
}

#[test]
fn an_occasional_caller_spends_what_it_uses() {
    let bed = bed();
    for n in 0..50 {
        assert!(now(bed.leased[n % 2].take("k", &QUOTA, 1)).unwrap().allowed);
        bed.clock.advance(Duration::from_millis(700));
    }
    assert!(bed.inner.granted() <= 60, "{} were taken for 50", bed.inner.granted());
}

#[test]
fn what_is_not_spent_within_a_second_is_dropped() {
    let bed = bed();
    let leased = &bed.leased[0];
    for _ in 0..200 {
        now(leased.take("k", &QUOTA, 1)).unwrap();
    }
    let kept = bed.inner.granted() - 200;
    assert!(kept > 0, "a part of a slice is left");
    bed.clock.advance(Duration::from_secs(1));
    let calls = bed.inner.calls();
    assert!(now(leased.take("k", &QUOTA, 1)).unwrap().allowed);
    assert_eq!(bed.inner.calls(), calls + 1);
}

#[test]
fn remaining_counts_down_by_one_and_times_are_sensible() {
    let bed = bed();
    for n in 1..=3_000 {
        let decision = now(bed.leased[0].take("k", &QUOTA, 1)).unwrap();
        assert_eq!((decision.allowed, decision.remaining), (true, 6_000 - n));
        assert_eq!(decision.retry_after, Duration::ZERO);
        let exactly = Duration::from_millis(10) * n;
        let slack = Duration::from_millis(10) * 64;
        assert!((exactly..=exactly + slack).contains(&decision.reset_after), "{decision:?}");
    }
}

#[test]
fn small_quotas_and_those_with_escalation_always_go_to_the_inner_limiter() {
    let escalation = Escalation {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(1),
        forget_after: Duration::from_secs(1),
    };
    let bed = bed();
    for quota in [Quota { limit: 599, ..QUOTA }, Quota { escalation: Some(escalation), ..QUOTA }] {
        let before = bed.inner.calls();
        for _ in 0..100 {
            now(bed.leased[0].take(&quota.limit.to_string(), &quota, 1)).unwrap();
        }
        assert_eq!(bed.inner.calls(), before + 100);
    }
}

#[test]
fn a_forgiven_key_is_as_new_and_an_error_is_passed_on() {
    let bed = bed();
    let leased = &bed.leased[0];
    while now(leased.take("k", &QUOTA, 1)).unwrap().allowed {}
    now(leased.forgive("k")).unwrap();
    assert_eq!(now(leased.take("k", &QUOTA, 1)).unwrap().remaining, 5_999);
    bed.inner.away.store(true, Ordering::SeqCst);
    assert!(now(leased.take("other", &QUOTA, 1)).is_err());
    bed.inner.away.store(false, Ordering::SeqCst);
    for _ in 0..100 {
        assert!(now(leased.take("other", &QUOTA, 1)).unwrap().allowed);
    }
    assert!(bed.inner.granted() < 6_000 + 200 + 64, "slices are taken again after the error");
}

#[test]
fn a_flood_of_keys_stays_bounded() {
    let bed = bed();
    for n in 0..SHARDS * KEYS_MAX * 5 / 4 {
        now(bed.leased[0].take(&n.to_string(), &QUOTA, 1)).unwrap();
    }
    let keys: usize = bed.leased[0].shards.iter().map(|s| s.lock().unwrap().keys.len()).sum();
    assert!(keys <= SHARDS * KEYS_MAX);
    bed.clock.advance(Duration::from_secs(2));
    for n in 0..SHARDS * 100 {
        now(bed.leased[0].take(&format!("later{n}"), &QUOTA, 1)).unwrap();
    }
    let keys: usize = bed.leased[0].shards.iter().map(|s| s.lock().unwrap().keys.len()).sum();
    assert!(keys <= SHARDS * 200, "{keys} keys are kept after two seconds");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_more_than_was_granted_nor_than_the_quota_in_any_window(
        limit in 600_u32..3_000,
        steps in prop::collection::vec((0_usize..2, 1_u32..80, 0_u64..1_200, 1_u32..4), 1..120),
    ) {
        let quota = Quota { limit, ..QUOTA };
        let bed = bed();
        let mut allowed: Vec<(i64, u32)> = Vec::new();
        for (who, burst, pause, cost) in steps {
            for _ in 0..burst {
                let at = bed.clock.now().as_micros();
                let decision = now(bed.leased[who].take("k", &quota, cost)).unwrap();
                if decision.allowed {
                    allowed.push((at, cost));
                }
                let spent: u32 = allowed.iter().map(|(_, cost)| cost).sum();
                prop_assert!(spent <= bed.inner.granted());
            }
            bed.clock.advance(Duration::from_millis(pause));
        }
        // Over every window: the quota, and what came back meanwhile and in the second before.
        let step = 60_000_000 / i64::from(limit);
        for (first, &(from, _)) in allowed.iter().enumerate() {
            let mut sum = 0_i64;
            for &(to, cost) in &allowed[first..] {
                sum += i64::from(cost);
                let most = i64::from(limit) + (to - from + 1_000_000) / step + 1;
                prop_assert!(sum <= most, "{} in {} us", sum, to - from);
            }
        }
    }
}
