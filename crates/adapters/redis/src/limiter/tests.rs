//! The script agrees with `decide` to the microsecond.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{SystemClock, SystemRandom, random};
use outrigger_ports::limiter::{Escalation, Quota, State, decide};
use outrigger_testkit::Redis;

use super::*;
use crate::RedisOptions;

async fn limiter() -> RedisLimiter {
    let patience = Duration::from_secs(60);
    let url = Redis::shared().unwrap().url().into();
    let options = RedisOptions { response_timeout: patience, ..RedisOptions::new(url) };
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let client = RedisClient::connect(&options, clock, random).unwrap();
    assert!(client.wait_connected(patience).await);
    RedisLimiter::new(client)
}

fn below(bound: u64) -> u64 {
    random::below(&SystemRandom, bound)
}

/// From the smallest to the largest that the port allows, small ones more often.
fn some_quota() -> Quota {
    let limit = [1, 2, 3, 10, 7_777, 1_000_000][usize::try_from(below(6)).unwrap()];
    let period_us = [1_000, 1_001, 60_000_000, 86_400_000_000][usize::try_from(below(4)).unwrap()];
    let escalation = (below(2) == 0).then(|| Escalation {
        base: Duration::from_micros(1 + below(period_us)),
        cap: Duration::from_micros(1 + below(period_us * 8)),
        forget_after: Duration::from_micros(1 + below(period_us * 4)),
    });
    Quota { limit, period: Duration::from_micros(period_us), escalation }
}

fn some_cost(quota: &Quota) -> u32 {
    let limit = u64::from(quota.limit);
    let cost = match below(4) {
        0 => 1,
        1 => limit,
        _ => 1 + below(limit + limit / 4 + 1),
    };
    u32::try_from(cost).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_agrees_with_the_specification() {
    let limiter = limiter().await;
    let (mut allowed, mut refused, mut struck) = (0, 0, 0);
    for sequence in 0..200 {
        let (key, quota) = (format!("agreement-{sequence}"), some_quota());
        let period = u64::try_from(quota.period.as_micros()).unwrap();
        let mut now = 1_700_000_000_000_000 + i64::try_from(below(1 << 50)).unwrap();
        let mut model = State::default();
        for _ in 0..40 {
            let cost = some_cost(&quota);
            let (at, before) = limiter.step(&key, &quota, cost, Some(now)).await.unwrap();
            assert_eq!((at, before), (now, model), "{quota:?}");
            let (decision, next) = decide(model, now, &quota, cost);
            model = next;
            allowed += usize::from(decision.allowed);
            refused += usize::from(!decision.allowed);
            struck += usize::from(next.strikes > 1);
            // Steps of all sizes, also none, and exactly to the edge of what was said.
            now += match below(4) {
                0 => 0,
                1 => i64::try_from(decision.retry_after.as_micros()).unwrap(),
                2 => i64::try_from(below(period / 4 + 1)).unwrap(),
                _ => i64::try_from(below(period * 2)).unwrap(),
            };
        }
    }
    // The sequences went through every branch.
    assert!(allowed > 500 && refused > 500 && struck > 100, "{allowed} {refused} {struck}");
}

#[test]
fn the_suite_of_the_port_finds_no_difference() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limiter = runtime.block_on(limiter());
    outrigger_conformance::limiter::agreement::agrees_exactly(|sequence, now, quota, cost| {
        let key = format!("exact-{sequence}");
        let step = limiter.step(&key, quota, cost, Some(now));
        let (now, before) = runtime.block_on(step).unwrap();
        decide(before, now, quota, cost).0
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_expires_when_it_means_nothing_any_more() {
    let (server, limiter) = (Redis::shared().unwrap(), limiter().await);
    let second = Duration::from_secs(1);
    let expiry = async |key: &str, quota: &Quota, takes: u32| {
        for _ in 0..takes {
            limiter.take(key, quota, 1).await.unwrap();
        }
        let left = server.cli(&["PTTL", &limiter.name(key)]).unwrap();
        left.parse::<i64>().unwrap()
    };
    // So long that what passes until it is looked at does not matter.
    let plain = Quota { limit: 2, period: second * 1_000, escalation: None };
    let left = expiry("expiry-plain", &plain, 1).await;
    assert!((400_000..=500_001).contains(&left), "half of the limit is taken: {left} ms");
    let escalation = Escalation { base: second, cap: second * 10, forget_after: second * 10_000 };
    let strict = Quota { escalation: Some(escalation), ..plain };
    let left = expiry("expiry-strict", &strict, 3).await;
    assert!((9_900_000..=10_000_001).contains(&left), "a refusal counts that long: {left} ms");
}
