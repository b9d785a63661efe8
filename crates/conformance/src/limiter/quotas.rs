//! Quotas: how much is allowed, and when again.

use std::time::Duration;

use futures_util::future::join_all;
use outrigger_ports::limiter::{Escalation, Quota};

use super::LimiterFactory;

/// So slow that nothing comes back while a test runs.
const fn slow(limit: u32) -> Quota {
    Quota { limit, period: Duration::from_secs(86_400), escalation: None }
}

/// All of the limit may come at once; then nothing.
pub async fn remaining_counts_down_to_a_refusal(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let quota = slow(10);
    let mut reset_after = Duration::ZERO;
    for n in 0..10_usize {
        let limiter = &opened.instances[n % opened.instances.len()];
        let decision = limiter.take("k", &quota, 1).await.unwrap();
        assert!(decision.allowed);
        assert_eq!(decision.remaining as usize, 9 - n);
        assert_eq!(decision.retry_after, Duration::ZERO);
        assert!(decision.reset_after > reset_after);
        reset_after = decision.reset_after;
    }
    for limiter in &opened.instances {
        let decision = limiter.take("k", &quota, 1).await.unwrap();
        assert!(!decision.allowed);
        assert_eq!(decision.remaining, 0);
        let step = quota.period / 10;
        assert!(decision.retry_after <= step && decision.retry_after > step / 2, "{decision:?}");
        assert!(decision.reset_after >= decision.retry_after);
    }
}

/// A refused cost takes nothing.
pub async fn a_cost_is_taken_all_or_not_at_all(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    for (cost, allowed, remaining) in
        [(7, true, 3), (4, false, 3), (2, true, 1), (2, false, 1), (1, true, 0), (1, false, 0)]
    {
        let decision = limiter.take("k", &slow(10), cost).await.unwrap();
        assert_eq!((decision.allowed, decision.remaining), (allowed, remaining), "cost {cost}");
    }
    let decision = limiter.take("more than there ever is", &slow(10), 11).await.unwrap();
    assert!(!decision.allowed && !decision.retry_after.is_zero());
    let decision = limiter.take("more than there ever is", &slow(10), 10).await.unwrap();
    assert!(decision.allowed);
}

/// Each key has a quota of its own; keys are compared whole and byte by byte.
pub async fn keys_are_separate_and_any_text(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let long = "k".repeat(256);
    let keys = [
        "a",
        "A",
        "a ",
        "a:b",
        "{a}",
        "{a",
        "é",
        "a\0b",
        "a\r\nb",
        "::1",
        "[a]",
        &long[..255],
        &long,
    ];
    for allowed in [true, false] {
        for key in keys {
            let decision = opened.instances[0].take(key, &slow(1), 1).await.unwrap();
            assert_eq!(decision.allowed, allowed, "{key:?}");
        }
    }
}

/// Many at once on all instances: exactly the limit.
pub async fn exactly_the_limit_is_allowed_under_concurrency(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    for (limit, cost) in [(100, 1), (99, 3), (1, 1)] {
        let key = format!("k{limit}-{cost}");
        let tasks = (0..16_usize).map(|n| {
            let limiter = opened.instances[n % opened.instances.len()].clone();
            let key = key.clone();
            tokio::spawn(async move {
                let mut allowed = 0;
                for _ in 0..20 {
                    let decision = limiter.take(&key, &slow(limit), cost).await.unwrap();
                    allowed += u32::from(decision.allowed);
                }
                allowed
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let allowed: u32 = join_all(tasks).await.into_iter().map(|done| done.unwrap()).sum();
        assert_eq!(allowed * cost, limit);
    }
}

/// Who waits for as long as was said is let in; who does not is refused.
pub async fn retry_after_is_honest(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    let quota = Quota { limit: 2, period: Duration::from_millis(800), escalation: None };
    for _ in 0..3 {
        let refused = loop {
            let decision = limiter.take("k", &quota, 1).await.unwrap();
            if !decision.allowed {
                break decision;
            }
        };
        assert!(!refused.retry_after.is_zero() && refused.retry_after <= quota.period / 2);
        tokio::time::sleep(refused.retry_after).await;
        assert!(limiter.take("k", &quota, 1).await.unwrap().allowed);
    }
}

/// The quota slides: after a part of the period that part of it is free again, and after all of
/// it everything is.
pub async fn what_was_taken_comes_back_bit_by_bit(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    let quota = Quota { limit: 4, period: Duration::from_millis(800), escalation: None };
    let taken = limiter.take("k", &quota, 4).await.unwrap();
    assert!(taken.allowed && taken.reset_after <= quota.period);
    let two = limiter.take("k", &quota, 2).await.unwrap();
    if !two.allowed {
        assert!(two.retry_after <= quota.period / 2, "{two:?}");
        tokio::time::sleep(two.retry_after).await;
        assert!(limiter.take("k", &quota, 2).await.unwrap().allowed);
    }
    let all = limiter.take("k", &quota, 4).await.unwrap();
    assert!(all.retry_after <= quota.period);
    tokio::time::sleep(all.reset_after).await;
    let all = limiter.take("k", &quota, 4).await.unwrap();
    assert_eq!((all.allowed, all.remaining), (true, 0));
}

/// A forgiven key has all of its quota again, on every instance.
pub async fn forgiving_makes_a_key_as_new(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let (limiter, other) = (&opened.instances[0], &opened.instances[1]);
    limiter.forgive("never seen").await.unwrap();
    limiter.take("k", &slow(5), 5).await.unwrap();
    limiter.take("k2", &slow(5), 5).await.unwrap();
    assert!(!other.take("k", &slow(5), 1).await.unwrap().allowed);
    other.forgive("k").await.unwrap();
    assert_eq!(limiter.take("k", &slow(5), 1).await.unwrap().remaining, 4);
    assert!(!limiter.take("k2", &slow(5), 1).await.unwrap().allowed);
}

/// The largest limits and the shortest and longest periods.
pub async fn extreme_quotas_are_taken(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    for (n, limit) in [1, 600, 1_000_000].into_iter().enumerate() {
        for (m, period) in
            [Duration::from_millis(1), Duration::from_secs(86_400)].into_iter().enumerate()
        {
            let quota = Quota { limit, period, escalation: None };
            let decision = limiter.take(&format!("{n} {m}"), &quota, limit).await.unwrap();
            assert!(decision.allowed, "{quota:?}");
            assert_eq!(decision.remaining, 0, "{quota:?}");
            assert!(decision.reset_after <= period.max(Duration::from_micros(limit.into())));
        }
    }
}

/// The probe of a healthy limiter says who answers.
pub async fn the_limiter_probe_answers(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    for limiter in &opened.instances {
        assert!(!limiter.probe().await.unwrap().version.is_empty());
    }
}

/// What is given back is there again, at once and on every instance; and no more than that.
pub async fn what_is_given_back_can_be_taken_again(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let quota = slow(10);
    let take = async |n: usize, cost: u32| {
        let limiter = &opened.instances[n % opened.instances.len()];
        limiter.take("k", &quota, cost).await.unwrap().allowed
    };
    assert!(take(0, 10).await && !take(1, 1).await);
    opened.instances[0].give_back("k", &quota, 3).await.unwrap();
    assert!(!take(1, 4).await);
    assert!(take(1, 2).await && take(0, 1).await && !take(1, 1).await);
    opened.instances[0].give_back("never taken", &quota, 3).await.unwrap();
    assert!(opened.instances[0].take("never taken", &quota, 10).await.unwrap().allowed);
    assert!(!opened.instances[0].take("never taken", &quota, 1).await.unwrap().allowed);
}

/// Refusals and what others have taken stay.
pub async fn what_is_given_back_leaves_the_rest_taken(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    let hour = Duration::from_secs(3_600);
    let escalation = Escalation { base: hour, cap: hour * 8, forget_after: hour * 24 };
    let quota = Quota { escalation: Some(escalation), ..slow(3) };
    assert!(limiter.take("k", &quota, 3).await.unwrap().allowed);
    assert!(!limiter.take("k", &quota, 1).await.unwrap().allowed);
    limiter.give_back("k", &quota, 1).await.unwrap();
    let refused = limiter.take("k", &quota, 1).await.unwrap();
    assert!(!refused.allowed && refused.retry_after > hour / 2, "{refused:?}");
}
