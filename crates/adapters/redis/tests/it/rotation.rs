//! The password is rotated while Redis is used.

use std::sync::Arc;
use std::time::Instant;

use outrigger_conformance::secrets::Rotated;
use outrigger_ports::limiter::Limiter;
use outrigger_redis::{RedisClient, RedisLimiter, RedisOptions};
use outrigger_testkit::{Redis, RedisCluster};

use crate::{SOON, client, options};

/// A user whose password is `one`.
fn make_user(server: &Redis) {
    server.cli(&["ACL", "SETUSER", "app", "on", ">one", "~*", "&*", "+@all"]).unwrap();
}

fn with_password(url: &str, password: &str) -> String {
    url.replace("://", &format!("://app:{password}@"))
}

/// Options whose URL signs in with `one`, and that URL.
fn signing_in(url: &str) -> (RedisOptions, Arc<Rotated>) {
    let secret = Rotated::new(with_password(url, "one"));
    (RedisOptions { url: secret.clone(), ..options(url.to_owned()) }, secret)
}

async fn answers(client: &RedisClient) -> bool {
    RedisLimiter::new(client.clone()).probe().await.is_ok()
}

/// Who connects of this user, by the numbers of the connections.
fn connections(server: &Redis) -> Vec<String> {
    let list = server.cli(&["CLIENT", "LIST"]).unwrap();
    let of_user = list.lines().filter(|line| line.contains("user=app"));
    of_user.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

/// Takes `one` away and ends all connections; the secret is changed after the first refusal at the
/// earliest. Goes on when there is an answer again.
async fn rotate(servers: &[Redis], client: &RedisClient, secret: &Rotated, url: &str) {
    for server in servers {
        server.cli(&["ACL", "SETUSER", "app", "resetpass", ">two"]).unwrap();
        server.cli(&["CLIENT", "KILL", "USER", "app"]).unwrap();
    }
    secret.refused().await;
    let started = Instant::now();
    secret.put(with_password(url, "two"));
    while !answers(client).await {
        assert!(started.elapsed() < SOON, "the new password is not used");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_looked_up_again() {
    let servers = [Redis::start().unwrap()];
    make_user(&servers[0]);
    let (options, secret) = signing_in(&servers[0].url());
    let client = client(&options).await;
    rotate(&servers, &client, &secret, &servers[0].url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_of_a_cluster_is_looked_up_again() {
    let cluster: RedisCluster = Redis::start_cluster().unwrap();
    cluster.nodes().iter().for_each(make_user);
    let (options, secret) = signing_in(&cluster.url());
    let client = client(&options).await;
    rotate(cluster.nodes(), &client, &secret, &cluster.url()).await;
}

/// Nobody is without a connection in between, also while the new password is not known to Redis yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_new_password_takes_the_place_of_the_old_one() {
    let server = Redis::start().unwrap();
    make_user(&server);
    let (options, secret) = signing_in(&server.url());
    let client = client(&options).await;
    let old = connections(&server);
    assert_eq!(old.len(), 1);
    secret.put(with_password(&server.url(), "two"));
    secret.look();
    let started = Instant::now();
    // It tries, and is refused.
    while !server.cli(&["ACL", "LOG"]).unwrap().contains("app") {
        assert!(started.elapsed() < SOON && answers(&client).await);
    }
    server.cli(&["ACL", "SETUSER", "app", ">two"]).unwrap();
    while connections(&server).iter().any(|connection| old.contains(connection)) {
        assert!(started.elapsed() < SOON && answers(&client).await);
    }
    assert!(answers(&client).await);
}
