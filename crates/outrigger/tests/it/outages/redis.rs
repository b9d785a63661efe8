//! Redis is away: everything goes on, limits locally; it is back: all is as before, by itself.

use std::time::{Duration, Instant};

use outrigger_testkit::{Postgres, Redis, TempDir, wait_until};
use serde_json::json;

use super::{check, everything_works, metric, public_collection, token, wait_for_check};
use crate::support::{Api, Backend, Server, ServerOptions};

/// Longest time for one request while Redis is away: a few timeouts of a quarter of a second, and
/// the hash of a password, on a busy machine.
const EACH: Duration = Duration::from_secs(20);

fn start(set: impl Fn(ServerOptions) -> ServerOptions, count: usize) -> (Redis, Vec<Server>) {
    let redis = Redis::start().expect("Redis starts");
    let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    let options =
        set(ServerOptions::on(backend).set("OUTRIGGER_PUBLIC_URL", "http://outrigger.test"));
    let servers = (0..count).map(|_| Server::start(&options)).collect();
    (redis, servers)
}

/// Until each of the process's threads says so: every connection is served by one of them.
fn wait_for_status(server: &Server, status: &str) {
    let says = || server.api().get("/api/health/").expect(200).json()["status"] == status;
    wait_until(status, super::NOTICED, || (0..8).all(|_| says())).expect("it is noticed");
}

/// Until it is open (1) or closed (0). Health tells of the first failure, and the third one opens it.
fn wait_for_breaker(server: &Server, of: &str, state: f64) {
    let of = ["outrigger_breaker_open".to_owned(), format!("of=\"{of}\"")];
    let is_so = || (metric(server, &[&of[0], &of[1]]) - state).abs() < 0.1;
    wait_until("a breaker", super::NOTICED, is_so).expect("it is noticed");
}

fn goes_on(server: &Server, away: impl FnOnce(), back: impl FnOnce()) {
    let collection = public_collection(server);
    let ((email, _), (_, login)) = (server.new_login(), server.new_login());
    let works = || everything_works(server, &collection, &email, token(&login), EACH);
    works();
    wait_for_check(server, "cache", "ok");
    away();
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        works();
    }
    wait_for_check(server, "cache", "degraded");
    wait_for_check(server, "limiter", "degraded");
    wait_for_status(server, "degraded");
    let report = server.api().get("/api/health/").expect(200).json();
    assert_eq!(report["checks"]["database"]["status"], "ok");
    assert!(report["checks"]["cache"]["detail"].as_str().is_some(), "{report}");
    server.api().get("/health").expect(200);
    server.api().get("/health/ready").expect(200);
    for of in ["cache", "limiter"] {
        wait_for_breaker(server, of, 1.0);
    }
    assert!(metric(server, &["outrigger_limiter_decisions_total", "by=\"local\""]) > 0.0);
    assert!(metric(server, &["outrigger_cache_requests_total", "outcome=\"bypass\""]) > 0.0);
    works();
    back();
    wait_for_check(server, "cache", "ok");
    wait_for_check(server, "limiter", "ok");
    wait_for_status(server, "ok");
    works();
    let path = format!("/api/v1/records/{collection}/one");
    let hit = || server.api().get(&path).header("cache-status").contains("hit");
    wait_until("a hit", super::NOTICED, hit).expect("the cache is used again");
    wait_for_breaker(server, "cache", 0.0);
    let shared = || metric(server, &["outrigger_limiter_decisions_total", "by=\"primary\""]);
    let before = shared();
    wait_until("shared limits", super::NOTICED, || {
        server.api().get(&path);
        shared() > before
    })
    .expect("the limits are shared again");
}

#[test]
fn everything_goes_on_while_redis_is_killed_and_comes_back_empty() {
    let (redis, servers) = start(|options| options, 1);
    goes_on(&servers[0], || redis.kill(), || redis.start_again().expect("it starts again"));
}

#[test]
fn everything_goes_on_while_redis_stands_still() {
    let (redis, servers) = start(|options| options, 1);
    goes_on(&servers[0], || redis.pause().unwrap(), || redis.resume().unwrap());
}

/// Redis has another password, and a while later the file says so that has the URL.
#[test]
fn everything_goes_on_while_the_password_of_redis_is_rotated() {
    let redis = Redis::start().expect("Redis starts");
    let allow = |args: &[&str]| redis.cli(&[&["ACL", "SETUSER", "app"], args].concat()).unwrap();
    allow(&["on", ">one", "~*", "&*", "+@all"]);
    let folder = TempDir::new("rotated").unwrap();
    let file = folder.join("redis-url");
    let write = |password: &str| {
        let url = redis.url().replace("://", &format!("://app:{password}@"));
        std::fs::write(&file, url).unwrap();
    };
    write("one");
    let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
    let secret = format!("file://{}", file.display());
    let server = Server::start(&ServerOptions::on(Backend::Urls { database, redis: Some(secret) }));
    let rotate = || {
        allow(&["resetpass", ">two"]);
        redis.cli(&["CLIENT", "KILL", "USER", "app"]).unwrap();
    };
    goes_on(&server, rotate, || write("two"));
}

#[test]
fn a_start_without_redis_succeeds_and_finds_it_later() {
    let redis = Redis::start().expect("Redis starts");
    redis.stop().expect("it stops");
    let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    let server = Server::start(&ServerOptions::on(backend));
    wait_for_check(&server, "cache", "degraded");
    server.new_login();
    redis.start_again().expect("it starts");
    wait_for_check(&server, "cache", "ok");
    server.new_login();
}

/// Requests of one caller in a minute, and after how long one more is free.
const LIMIT: usize = 20;
const FREED_EVERY: Duration = Duration::from_secs(3);

/// Whether of a burst over these servers just the limit passes, with what is freed meanwhile.
fn is_exact(servers: &[Server], address: &str) -> bool {
    let apis: Vec<Api> = servers.iter().map(|s| s.api().with("x-forwarded-for", address)).collect();
    let status = |n: usize| apis[n % apis.len()].get("/api/v1/records/nothing").status;
    let started = Instant::now();
    let passed = (0..3 * LIMIT).filter(|n| status(*n) != 429).count();
    let freed = started.elapsed().as_secs() / FREED_EVERY.as_secs();
    (LIMIT..=LIMIT + usize::try_from(freed).unwrap()).contains(&passed)
}

#[test]
fn limits_go_on_locally_and_are_shared_again_afterwards() {
    let (redis, servers) = start(
        |options| {
            options
                .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", &LIMIT.to_string())
                .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1")
        },
        2,
    );
    // On a busy machine Redis may not answer at once for a moment: then each process allows the limit.
    let mut callers = 1..;
    let mut are_shared = || is_exact(&servers, &format!("10.1.2.{}", callers.next().unwrap()));
    wait_until("shared limits", super::NOTICED, &mut are_shared).expect("they are shared");
    redis.kill();
    for server in &servers {
        wait_for_check(server, "limiter", "degraded");
    }
    for server in &servers {
        let alone = is_exact(std::slice::from_ref(server), "10.1.1.2");
        assert!(alone, "each process allows the limit");
    }
    redis.start_again().expect("it starts again");
    for server in &servers {
        wait_for_check(server, "limiter", "ok");
    }
    // Each thread finds Redis again by itself, within moments of the first.
    wait_until("shared limits", super::NOTICED, are_shared).expect("they are shared again");
}

#[test]
fn a_record_changed_while_redis_stood_still_is_not_read_as_it_was_afterwards() {
    let (redis, servers) = start(|options| options, 1);
    let server = &servers[0];
    let collection = public_collection(server);
    let apis: Vec<Api> = (0..6).map(|_| server.api()).collect();
    for round in 0..3 {
        let path = format!("/api/v1/records/{collection}/r{round}");
        apis[0].put(&path, &json!({"n": "old"})).expect(201);
        for api in &apis {
            api.get(&path).expect(200);
        }
        redis.pause().unwrap();
        apis[0].put(&path, &json!({"n": "new"})).expect(200);
        let read_new = || {
            for (number, api) in apis.iter().enumerate() {
                let read = api.get(&path).expect(200).json();
                assert_eq!(read["data"]["n"], "new", "client {number}, round {round}");
            }
        };
        read_new();
        redis.resume().unwrap();
        let back = Instant::now();
        while check(server, "cache") != "ok" || back.elapsed() < Duration::from_secs(2) {
            read_new();
            assert!(back.elapsed() < super::NOTICED, "the cache is never back");
        }
        read_new();
    }
}
