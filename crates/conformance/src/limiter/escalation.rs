//! Escalation: who goes on after being refused waits longer.

use std::sync::Arc;
use std::time::Duration;

use outrigger_ports::limiter::{Decision, Escalation, Limiter, Quota};

use super::LimiterFactory;

/// Two in 400 ms; delays of 300 ms, 600 ms, then 1 s.
const QUOTA: Quota = Quota {
    limit: 2,
    period: Duration::from_millis(400),
    escalation: Some(Escalation {
        base: Duration::from_millis(300),
        cap: Duration::from_secs(1),
        forget_after: Duration::from_secs(60),
    }),
};

fn long(base_s: u64) -> Quota {
    let escalation = Escalation {
        base: Duration::from_secs(base_s),
        cap: Duration::from_secs(base_s * 8),
        forget_after: Duration::from_secs(36_000),
    };
    Quota { escalation: Some(escalation), ..QUOTA }
}

/// Takes until it is refused.
async fn refused(limiter: &Arc<dyn Limiter>, key: &str, quota: &Quota) -> Decision {
    loop {
        let decision = limiter.take(key, quota, 1).await.unwrap();
        if !decision.allowed {
            return decision;
        }
    }
}

fn about(decision: &Decision, millis: u64) {
    let expected = Duration::from_millis(millis);
    assert_eq!(decision.retry_after, expected, "a delay that has just begun");
    assert!(decision.reset_after >= expected);
}

/// Each refusal in a row that was not within a delay doubles the delay.
pub async fn delays_double_up_to_the_cap(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    for delay in [300, 600, 1_000, 1_000] {
        let decision = refused(limiter, "k", &QUOTA).await;
        about(&decision, delay);
        tokio::time::sleep(decision.retry_after).await;
        assert!(limiter.take("k", &QUOTA, 1).await.unwrap().allowed, "after {delay} ms");
    }
}

/// A client that hammers a closed key waits as long as one that does not.
pub async fn what_comes_while_closed_makes_it_no_longer(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    let quota = long(1_000);
    let mut last = refused(limiter, "k", &quota).await.retry_after;
    assert_eq!(last, Duration::from_secs(1_000));
    for _ in 0..20 {
        let decision = limiter.take("k", &quota, 1).await.unwrap();
        assert!(!decision.allowed);
        assert_eq!(decision.remaining, 0);
        assert!(decision.retry_after <= last && decision.retry_after > Duration::from_secs(900));
        last = decision.retry_after;
    }
}

/// Another process is no way round.
pub async fn a_closed_key_is_closed_on_every_instance(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    refused(&opened.instances[0], "k", &long(1_000)).await;
    for limiter in &opened.instances {
        let decision = limiter.take("k", &long(1_000), 1).await.unwrap();
        assert!(!decision.allowed && decision.retry_after > Duration::from_secs(900));
    }
    let other = opened.instances[1].take("other", &long(1_000), 1).await.unwrap();
    assert!(other.allowed);
}

/// After `forget_after` without a refusal the first delay is the first again.
pub async fn refusals_are_forgotten_after_a_while(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    let forget_after = Duration::from_millis(900);
    let escalation = QUOTA.escalation.map(|e| Escalation { forget_after, ..e });
    let quota = Quota { escalation, ..QUOTA };
    let first = refused(limiter, "k", &quota).await;
    about(&first, 300);
    tokio::time::sleep(forget_after).await;
    about(&refused(limiter, "k", &quota).await, 300);
}

/// A forgiven key is open at once, and its next delay is the first.
pub async fn forgiving_forgets_refusals(factory: &dyn LimiterFactory) {
    let opened = factory.open().await;
    let limiter = &opened.instances[0];
    for _ in 0..3 {
        let decision = refused(limiter, "k", &long(1_000)).await;
        assert_eq!(decision.retry_after, Duration::from_secs(1_000));
        opened.instances[1].forgive("k").await.unwrap();
        assert!(limiter.take("k", &long(1_000), 1).await.unwrap().allowed);
    }
}
