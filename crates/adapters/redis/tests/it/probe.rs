//! What `doctor` sees.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock, ManualClock, SystemClock, SystemRandom};
use outrigger_ports::cache::Cache;
use outrigger_ports::limiter::Limiter;
use outrigger_ports::probe::{Probed, Severity};
use outrigger_redis::{RedisCache, RedisClient, RedisLimiter, RedisOptions};
use outrigger_testkit::{Redis, RedisCluster};

use crate::{SOON, client, options};

fn fact<'a>(probed: &'a Probed, name: &str) -> &'a str {
    &probed.facts.iter().find(|(fact, _)| *fact == name).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_server_is_described_without_findings() {
    let server = Redis::start_tls().unwrap();
    let options = RedisOptions { ca_file: server.ca_path(), ..options(server.url()) };
    let client = client(&options).await;
    let probed = RedisCache::new(client.clone()).probe().await.unwrap();
    assert!(probed.version.starts_with("Redis "), "{}", probed.version);
    assert!(probed.latency > Duration::ZERO);
    assert_eq!(fact(&probed, "tls"), "yes");
    assert_eq!(fact(&probed, "mode"), "standalone");
    assert_eq!(fact(&probed, "maxmemory"), "none");
    assert_eq!(probed.findings, []);
    let again = RedisLimiter::new(client).probe().await.unwrap();
    assert_eq!(again.version, probed.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_and_clock_are_advised_on() {
    let args = ["--maxmemory", "100mb"].map(str::to_owned).to_vec();
    let server = outrigger_testkit::RedisOptions { args, ..Default::default() };
    let server = Redis::start_with(server).unwrap();
    let slow = ManualClock::at(SystemClock.now().minus(Duration::from_secs(5)));
    let client =
        RedisClient::connect(&options(server.url()), Arc::new(slow), Arc::new(SystemRandom))
            .unwrap();
    assert!(client.wait_connected(SOON).await);
    let probed = RedisCache::new(client).probe().await.unwrap();
    assert_eq!(fact(&probed, "maxmemory"), "100.00M");
    assert_eq!(fact(&probed, "maxmemory-policy"), "noeviction");
    let messages: Vec<_> = probed.findings.iter().map(|finding| &*finding.message).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("maxmemory-policy")), "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("clock")), "{messages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_info_still_gets_an_answer() {
    let server = Redis::start().unwrap();
    let rule = ["ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-info"];
    server.cli(&rule).unwrap();
    let url = server.url().replace("redis://", "redis://app:pw@");
    let client = client(&options(url)).await;
    let probed = RedisCache::new(client).probe().await.unwrap();
    assert_eq!(probed.findings.len(), 1, "{:?}", probed.findings);
    assert!(probed.findings[0].message.contains("INFO"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_not_whole_is_an_error() {
    // A node that is away is missed sooner than on the clusters of other tests.
    let args = ["--cluster-node-timeout", "10000"].map(str::to_owned).to_vec();
    let server = outrigger_testkit::RedisOptions { args, ..Default::default() };
    let cluster = RedisCluster::start(&server).unwrap();
    let client = client(&options(cluster.url())).await;
    let cache = RedisCache::new(client.clone());
    let probed = cache.probe().await.unwrap();
    assert_eq!(fact(&probed, "mode"), "cluster");
    assert_eq!(fact(&probed, "cluster size"), "3");
    assert_eq!(probed.findings, []);
    cluster.nodes()[2].kill();
    let failed = || {
        let info = cluster.nodes()[0].cli(&["CLUSTER", "INFO"]).unwrap();
        info.contains("cluster_state:fail")
    };
    outrigger_testkit::wait_until("a failed cluster", SOON * 3, failed).unwrap();
    let probed = cache.probe().await.unwrap();
    assert_eq!(fact(&probed, "cluster state"), "fail");
    let severities: Vec<_> = probed.findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error]);
}
