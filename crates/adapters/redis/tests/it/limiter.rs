//! The limit is exact over several processes.

use std::sync::Arc;
use std::time::Duration;

use outrigger_ports::limiter::{Escalation, Limiter, Quota};
use outrigger_redis::{RedisLimiter, RedisOptions};
use outrigger_testkit::Redis;

use crate::{client, key, options};

const HOUR: Duration = Duration::from_secs(3_600);

async fn exact_over_two_clients(options: &RedisOptions) {
    let limiters = Arc::new([
        RedisLimiter::new(client(options).await),
        RedisLimiter::new(client(options).await),
    ]);
    let key = Arc::new(key("exact"));
    let quota = Quota { limit: 100, period: HOUR, escalation: None };
    let callers = (0..16).map(|caller| {
        let (limiters, key) = (limiters.clone(), key.clone());
        tokio::spawn(async move {
            let mut allowed = 0;
            for _ in 0..25 {
                let decision = limiters[caller % 2].take(&key, &quota, 1).await.unwrap();
                allowed += u32::from(decision.allowed);
                assert_eq!(decision.allowed, decision.retry_after.is_zero());
            }
            allowed
        })
    });
    let mut allowed = 0;
    for caller in callers.collect::<Vec<_>>() {
        allowed += caller.await.unwrap();
    }
    // 400 came at once; one more is earned only after 36 s.
    assert_eq!(allowed, 100);
    limiters[0].forgive(&key).await.unwrap();
    let decision = limiters[1].take(&key, &quota, 40).await.unwrap();
    assert!(decision.allowed);
    assert_eq!(decision.remaining, 60);
    assert!(!limiters[0].take(&key, &quota, 61).await.unwrap().allowed, "all or nothing");
    assert!(limiters[0].take(&key, &quota, 60).await.unwrap().allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_exact_over_two_clients_of_one_server() {
    exact_over_two_clients(&options(Redis::shared().unwrap().url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_exact_over_two_clients_with_tls() {
    let server = Redis::start_tls().unwrap();
    let options = RedisOptions { ca_file: server.ca_path(), ..options(server.url()) };
    exact_over_two_clients(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_exact_over_two_clients_of_a_cluster() {
    let cluster = Redis::start_cluster().unwrap();
    for _ in 0..6 {
        exact_over_two_clients(&options(cluster.url())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_escalate_and_are_forgiven() {
    let limiter = RedisLimiter::new(client(&options(Redis::shared().unwrap().url())).await);
    let key = key("escalation");
    let escalation = Escalation { base: Duration::from_millis(20), cap: HOUR, forget_after: HOUR };
    let quota = Quota { limit: 1, period: Duration::from_millis(50), escalation: Some(escalation) };
    // So long that it is still closed when that is looked at.
    let strict = Quota { escalation: Some(Escalation { base: HOUR, ..escalation }), ..quota };
    let started = tokio::time::Instant::now();
    for (quota, wanted) in [(&quota, Duration::from_millis(100)), (&strict, HOUR / 2)] {
        let mut longest = Duration::ZERO;
        // Ten requests at once are more than one in 50 ms, so sooner or later one is refused.
        while longest < wanted {
            assert!(started.elapsed() < Duration::from_secs(60), "{longest:?}");
            let burst = (0..10).map(|_| limiter.take(&key, quota, 1));
            for decision in futures_util::future::join_all(burst).await {
                longest = longest.max(decision.unwrap().retry_after);
            }
        }
    }
    assert!(!limiter.take(&key, &quota, 1).await.unwrap().allowed, "it is closed");
    limiter.forgive(&key).await.unwrap();
    assert!(limiter.take(&key, &quota, 1).await.unwrap().allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_over_any_limit_is_refused() {
    let limiter = RedisLimiter::new(client(&options(Redis::shared().unwrap().url())).await);
    for limit in [1, 1_000_000] {
        let quota = Quota { limit, period: HOUR * 24, escalation: None };
        assert!(!limiter.take(&key("cost"), &quota, u32::MAX).await.unwrap().allowed);
    }
}
