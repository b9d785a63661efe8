//! Random sequences agree with [`decide`], the specification.

use std::collections::HashMap;
use std::time::Duration;

use outrigger_kernel::{Clock, SystemClock};
use outrigger_ports::limiter::{Decision, Escalation, Quota, State, decide};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::LimiterFactory;

/// One request of a sequence: how long after the one before, and what it costs.
type Request = (Duration, u32);

/// Compares random sequences with the specification to the microsecond.
///
/// `take` gets the number of the sequence (each is a key of its own), the time in microseconds
/// since the Unix epoch, the quota of the key and the cost.
///
/// # Panics
/// With the shortest sequence found that differs.
pub fn agrees_exactly(mut take: impl FnMut(u32, i64, &Quota, u32) -> Decision) {
    let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
    let take = std::cell::RefCell::new(&mut take);
    let sequence = std::cell::Cell::new(0_u32);
    let strategy = (quota(), prop::collection::vec(request(), 1..60));
    let result = TestRunner::new(config).run(&strategy, |(quota, requests)| {
        sequence.set(sequence.get() + 1);
        let mut state = State::default();
        let mut now = 1_800_000_000_000_000;
        for (number, (pause, cost)) in requests.into_iter().enumerate() {
            now += i64::try_from(pause.as_micros()).unwrap();
            let (expected, next) = decide(state, now, &quota, cost);
            state = next;
            let got = (take.borrow_mut())(sequence.get(), now, &quota, cost);
            if got != expected {
                return Err(TestCaseError::fail(format!(
                    "request {number} at {now}: {got:?}, expected {expected:?}"
                )));
            }
        }
        Ok(())
    });
    if let Err(difference) = result {
        panic!("{difference}");
    }
}

fn quota() -> impl Strategy<Value = Quota> {
    let limit = prop_oneof![1_u32..10, Just(600), Just(6_000), Just(1_000_000)];
    let period = prop_oneof![
        Just(Duration::from_millis(1)),
        Just(Duration::from_millis(999)),
        Just(Duration::from_secs(60)),
        Just(Duration::from_secs(86_400)),
    ];
    let escalation = prop::option::of((1_u64..2_000, 1_u64..60_000, 1_u64..600_000).prop_map(
        |(base, cap, forget)| Escalation {
            base: Duration::from_millis(base),
            cap: Duration::from_millis(cap),
            forget_after: Duration::from_millis(forget),
        },
    ));
    (limit, period, escalation).prop_map(|(limit, period, escalation)| Quota {
        limit,
        period,
        escalation,
    })
}

fn request() -> impl Strategy<Value = Request> {
    let pause = prop_oneof![
        4 => Just(Duration::ZERO),
        2 => (0_u64..2_000).prop_map(Duration::from_micros),
        2 => (0_u64..3_000).prop_map(Duration::from_millis),
        1 => (0_u64..100_000).prop_map(Duration::from_secs),
    ];
    (pause, prop_oneof![8 => Just(1_u32), 2 => 2_u32..12, 1 => 100_u32..2_000_000])
}

/// Several keys with several quotas, in disorder and on all instances. The periods are so long that
/// the time that the test takes does not change what is allowed; times agree within a minute.
pub async fn random_sequences_agree_with_the_specification(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let quotas: Vec<Quota> = [3, 10, 40]
        .map(|limit| Quota { limit, period: Duration::from_secs(86_400), escalation: None })
        .into();
    let strategy = prop::collection::vec((0..6_usize, 0..8_usize, 1_u32..6), 200);
    let mut runner = TestRunner::default();
    let requests = strategy.new_tree(&mut runner).expect("a sequence").current();
    let mut states: HashMap<usize, State> = HashMap::new();
    for (number, (key, instance, cost)) in requests.into_iter().enumerate() {
        let quota = &quotas[key % quotas.len()];
        let limiter = &opened.instances[instance % opened.instances.len()];
        let state = states.entry(key).or_default();
        let (expected, next) = decide(*state, SystemClock.now().as_micros(), quota, cost);
        *state = next;
        let got = limiter.take(&format!("key{key}"), quota, cost).await.unwrap();
        let counts = |decision: &Decision| (decision.allowed, decision.remaining);
        assert_eq!(counts(&got), counts(&expected), "request {number}, key {key}, cost {cost}");
        for (got, expected) in
            [(got.retry_after, expected.retry_after), (got.reset_after, expected.reset_after)]
        {
            assert!(got.abs_diff(expected) < Duration::from_secs(60), "{got:?} {expected:?}");
        }
    }
}
