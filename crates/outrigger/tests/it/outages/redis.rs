//! Redis is away: everything goes on, limits locally; it is back: all is as before, by itself.

use std::time::{Duration, Instant};

use outrigger_testkit::{Postgres, Redis, TempDir, wait_until};
use serde_json::json;

use super::{check, everything_works, metric, public_collection, token, wait_for_check};
use crate::support::{Api, Backend, Server, ServerOptions};

/// Longest time for one request while Redis is away: a few timeouts of a quarter of a second, and
/// the hash of a password, on a busy machine.
const EACH: Duration = Duration::from_secs(8);

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

fn goes_on(server: &Server, away: impl FnOnce(), back: impl FnOnce()) {
    let collection = public_collection(server);
    let ((email, _), (_, login)) = (server.new_login(), server.new_login());
    let works = || everything_works(server, &collection, &email, token(&login), EACH);
    works();
    assert_eq!(check(server, "cache"), "ok");
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
        let open = metric(server, &["outrigger_breaker_open", &format!("of=\"{of}\"")]);
        assert!((open - 1.0).abs() < 0.1, "{of}: {open}");
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
    wait_until("a hit", Duration::from_secs(20), hit).expect("the cache is used again");
    assert!(metric(server, &["outrigger_breaker_open", "of=\"cache\""]) < 0.1);
    let shared = || metric(server, &["outrigger_limiter_decisions_total", "by=\"primary\""]);
    let before = shared();
    wait_until("shared limits", Duration::from_secs(20), || {
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
    assert_eq!(check(&server, "cache"), "degraded");
    server.new_login();
    redis.start_again().expect("it starts");
    wait_for_check(&server, "cache", "ok");
    server.new_login();
}

/// How many of `count` requests pass, spread over these servers.
fn passed(servers: &[Server], address: &str, count: usize) -> usize {
    let apis: Vec<Api> = servers.iter().map(|s| s.api().with("x-forwarded-for", address)).collect();
    let status = |n: usize| apis[n % apis.len()].get("/api/v1/records/nothing").status;
    (0..count).filter(|n| status(*n) != 429).count()
}

#[test]
fn limits_go_on_locally_and_are_shared_again_afterwards() {
    const LIMIT: usize = 20;
    let (redis, servers) = start(
        |options| {
            options
                .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", &LIMIT.to_string())
                .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1")
        },
        2,
    );
    // One more is free every three seconds; a burst takes less, or little more.
    let exact = |count: usize, limit: usize| (limit..=limit + 2).contains(&count);
    let shared = passed(&servers, "10.1.1.1", 3 * LIMIT);
    assert!(exact(shared, LIMIT), "{shared}");
    redis.kill();
    for server in &servers {
        wait_for_check(server, "limiter", "degraded");
    }
    for server in &servers {
        let alone = passed(std::slice::from_ref(server), "10.1.1.2", 3 * LIMIT);
        assert!(exact(alone, LIMIT), "each process allows the limit: {alone}");
    }
    redis.start_again().expect("it starts again");
    for server in &servers {
        wait_for_check(server, "limiter", "ok");
    }
    // Each thread finds Redis again by itself, within moments of the first.
    let mut callers = 1..;
    let are_shared = || {
        let address = format!("10.1.2.{}", callers.next().unwrap());
        exact(passed(&servers, &address, 3 * LIMIT), LIMIT)
    };
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
