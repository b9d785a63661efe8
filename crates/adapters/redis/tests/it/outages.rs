//! Redis away, back, frozen.

use std::time::{Duration, Instant};

use outrigger_ports::cache::{Cache, CacheError, Lookup};
use outrigger_ports::limiter::{Limiter, LimiterError, Quota};
use outrigger_redis::{RedisCache, RedisClient, RedisLimiter, RedisOptions};
use outrigger_testkit::{FaultProxy, Redis};

use crate::{GIVEN_UP, SOON, client, hasty, key, options, start};

const MINUTE: Duration = Duration::from_secs(60);
const QUOTA: Quota = Quota { limit: 10, period: MINUTE, escalation: None };

/// Each call fails as "not available", and none waits until its time has run out.
async fn assert_fails_fast(client: &RedisClient) {
    let (cache, limiter) = (RedisCache::new(client.clone()), RedisLimiter::new(client.clone()));
    let started = Instant::now();
    let error = cache.lookup("k", MINUTE).await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable(_)), "{error}");
    assert!(cache.peek("k").await.is_err());
    assert!(cache.hold(&["a".to_owned(), "b".to_owned()], MINUTE).await.is_err());
    let error = limiter.take("k", &QUOTA, 1).await.unwrap_err();
    assert!(matches!(error, LimiterError::Unavailable(_)), "{error}");
    assert!(limiter.probe().await.is_err());
    assert!(started.elapsed() < GIVEN_UP, "{:?}", started.elapsed());
}

async fn assert_works(client: &RedisClient) {
    let cache = RedisCache::new(client.clone());
    assert!(matches!(cache.lookup(&key("works"), MINUTE).await.unwrap(), Lookup::Miss(_)));
    assert!(
        RedisLimiter::new(client.clone()).take(&key("works"), &QUOTA, 1).await.unwrap().allowed
    );
}

async fn wait_lost(client: &RedisClient) {
    let started = Instant::now();
    while client.is_connected() {
        assert!(started.elapsed() < SOON, "it still thinks that it is connected");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_away_at_the_start() {
    let server = Redis::start().unwrap();
    server.stop().unwrap();
    let client = start(&hasty(server.url()));
    assert_fails_fast(&client).await;
    server.start_again().unwrap();
    assert!(client.wait_connected(SOON).await);
    assert_works(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_started_again_it_works_again_by_itself() {
    let server = Redis::start().unwrap();
    // Without heartbeats: the end of the connection tells.
    let options = RedisOptions { heartbeat: SOON * 2, ..hasty(server.url()) };
    let client = client(&options).await;
    for round in 0..3 {
        assert_works(&client).await;
        if round == 1 {
            server.kill();
        } else {
            server.stop().unwrap();
        }
        // The end of the connection is noticed without a call.
        wait_lost(&client).await;
        assert_fails_fast(&client).await;
        server.start_again().unwrap();
        assert!(client.wait_connected(SOON).await);
    }
    assert_works(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_is_a_timeout_and_then_away() {
    let server = Redis::start().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let heartbeat = SOON * 2;
    let options = RedisOptions { heartbeat, ..hasty(server.url_at(proxy.port())) };
    let client = client(&options).await;
    assert_works(&client).await;
    proxy.freeze();
    let started = Instant::now();
    let error = RedisCache::new(client.clone()).peek("k").await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable(_)), "{error}");
    let waited = started.elapsed();
    assert!((GIVEN_UP..SOON).contains(&waited), "{waited:?}");
    // One timeout makes it try the connection; from then on nobody waits.
    wait_lost(&client).await;
    assert_fails_fast(&client).await;
    proxy.restore().unwrap();
    assert!(client.wait_connected(SOON).await);
    assert_works(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_dies_silently_is_noticed_without_a_call() {
    let server = Redis::start().unwrap();
    let client = client(&hasty(server.url())).await;
    server.pause().unwrap();
    wait_lost(&client).await;
    server.resume().unwrap();
    assert!(client.wait_connected(SOON).await);
    assert_works(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_restored_under_load() {
    let server = Redis::start().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let client = client(&hasty(server.url_at(proxy.port()))).await;
    let cache = RedisCache::new(client.clone());
    for round in 0..5 {
        let load = (0..20).map(|_| cache.peek("k"));
        let ((), results) = tokio::join!(
            async { proxy.cut_after_bytes(100) },
            futures_util::future::join_all(load)
        );
        assert!(results.iter().all(|result| !matches!(result, Ok(Some(_)))), "round {round}");
        let started = Instant::now();
        while cache.peek("k").await.is_err() {
            assert!(started.elapsed() < SOON);
            client.wait_connected(SOON).await;
        }
    }
    assert!(proxy.cuts() >= 5, "{}", proxy.cuts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_any_more_is_left() {
    let primary = Redis::start().unwrap();
    let other = Redis::start().unwrap();
    let client = client(&options(primary.url())).await;
    assert_works(&client).await;
    let before = primary.cli(&["CLIENT", "LIST", "TYPE", "normal"]).unwrap();
    let port = other.port().to_string();
    primary.cli(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let limiter = RedisLimiter::new(client.clone());
    assert!(limiter.take("k", &QUOTA, 1).await.is_err());
    primary.cli(&["REPLICAOF", "NO", "ONE"]).unwrap();
    let started = Instant::now();
    while limiter.take("k", &QUOTA, 1).await.is_err() {
        assert!(started.elapsed() < SOON);
        client.wait_connected(SOON).await;
    }
    let id = |list: &str| {
        let ours = list.lines().find(|line| line.contains("lib-name=outrigger"));
        ours.or_else(|| list.lines().next()).unwrap().split(' ').next().unwrap().to_owned()
    };
    let after = primary.cli(&["CLIENT", "LIST", "TYPE", "normal"]).unwrap();
    assert_ne!(id(&before), id(&after), "it has connected anew, as a new name look-up needs");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_of_a_cluster_away_does_not_take_the_others_with_it() {
    // Without full coverage the other nodes go on, as managed clusters are set up.
    let args = ["--cluster-require-full-coverage", "no"].map(str::to_owned).to_vec();
    let server = outrigger_testkit::RedisOptions { args, ..Default::default() };
    let cluster = outrigger_testkit::RedisCluster::start(&server).unwrap();
    let client = client(&hasty(cluster.url())).await;
    let cache = RedisCache::new(client.clone());
    let keys: Vec<String> = (0..30).map(|_| key("node")).collect();
    for key in &keys {
        assert!(matches!(cache.lookup(key, MINUTE).await.unwrap(), Lookup::Miss(_)));
    }
    cluster.nodes()[0].kill();
    let mut lost = 0;
    for key in &keys {
        let started = Instant::now();
        let found = cache.lookup(key, MINUTE).await;
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        lost += usize::from(found.is_err());
    }
    assert!((1..keys.len()).contains(&lost), "{lost} of {} lost", keys.len());
    cluster.nodes()[0].start_again().unwrap();
    cluster.wait_until_ok().unwrap();
    for key in &keys {
        let started = Instant::now();
        while cache.lookup(key, MINUTE).await.is_err() {
            assert!(started.elapsed() < SOON);
            client.wait_connected(SOON).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_fails_fast_and_comes_back() {
    let cluster = Redis::start_cluster().unwrap();
    let client = client(&hasty(cluster.url())).await;
    assert_works(&client).await;
    cluster.nodes().iter().for_each(Redis::kill);
    wait_lost(&client).await;
    assert_fails_fast(&client).await;
    for node in cluster.nodes() {
        node.start_again().unwrap();
    }
    cluster.wait_until_ok().unwrap();
    assert!(client.wait_connected(SOON).await);
    assert_works(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_not_accepted() {
    let server = Redis::start_tls().unwrap();
    let other = outrigger_testkit::Tls::generate().unwrap();
    let wrong = RedisOptions { ca_file: Some(other.ca_path()), ..options(server.url()) };
    let right = RedisOptions { ca_file: server.ca_path(), ..options(server.url()) };
    let refused = start(&wrong);
    let _accepted = client(&right).await;
    assert!(!refused.wait_connected(Duration::from_millis(500)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_clone_closes_the_connection() {
    let server = Redis::start().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let client = client(&options(server.url_at(proxy.port()))).await;
    let clone = client.clone();
    drop(client);
    assert_works(&clone).await;
    assert_eq!(proxy.connections(), 1);
    drop(clone);
    let started = Instant::now();
    while proxy.connections() > 0 {
        assert!(started.elapsed() < SOON, "the connection is still open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
