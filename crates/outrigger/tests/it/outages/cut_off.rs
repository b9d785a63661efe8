//! One process is cut off from Redis, the other one is not: what the first one changes is not
//! outlived by what the second one finds in Redis, also when the first one ends at once.

use std::time::{Duration, Instant};

use outrigger_testkit::{FaultProxy, Postgres, Redis, wait_until};
use serde_json::{Value, json};

use super::{NOTICED, public_collection, token, wait_for_check};
use crate::support::{Api, Backend, Server, ServerOptions};

const ME: &str = "/api/v1/users/me";
/// How long is looked for a session that lives again; what is cached lives for a minute.
const LOOK: Duration = Duration::from_secs(3);
/// Longest time until a record that was changed by who is cut off is seen by others.
const SEEN: Duration = Duration::from_secs(30);

/// Two processes on one database and one Redis, which the first one reaches through a proxy.
struct Pair {
    cut_off: Server,
    other: Server,
    proxy: FaultProxy,
    _redis: Redis,
}

impl Pair {
    fn start() -> Self {
        let redis = Redis::start().expect("Redis starts");
        let proxy = FaultProxy::start(redis.port()).expect("a proxy");
        let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
        let backend = Backend::Urls { database, redis: Some(redis.url()) };
        let options =
            ServerOptions::on(backend).set("OUTRIGGER_PUBLIC_URL", "http://outrigger.test");
        let mut through = options.clone();
        if let Backend::Urls { redis: Some(url), .. } = &mut through.backend {
            *url = redis.url_at(proxy.port());
        }
        let (cut_off, other) = (Server::start(&through), Server::start(&options));
        Self { cut_off, other, proxy, _redis: redis }
    }

    /// Clients with this token on all threads of the other process.
    fn others(&self, login: &Value) -> Vec<Api> {
        (0..4).map(|_| self.other.api().with_token(token(login))).collect()
    }

    /// A login whose session the other process has cached.
    fn login(&self) -> Value {
        let (_, login) = self.cut_off.new_login();
        for api in self.others(&login).iter().chain(&self.others(&login)) {
            api.get(ME).expect(200);
        }
        login
    }

    fn logout(&self, login: &Value) {
        let here = self.cut_off.api().with_token(token(login));
        here.send("POST", "/api/v1/auth/logout", None).expect(204);
    }

    /// No request that begins from now on passes on the other process.
    fn is_over(&self, login: &Value) {
        let (clients, since) = (self.others(login), Instant::now());
        while since.elapsed() < LOOK {
            for api in &clients {
                api.get(ME).expect(401);
            }
        }
        // It reaches Redis; on a busy machine it may not have for a moment.
        wait_for_check(&self.other, "cache", "ok");
    }
}

#[test]
fn a_session_that_it_revokes_is_refused_by_the_others_at_once() {
    let pair = Pair::start();
    let (first, second) = (pair.login(), pair.login());
    pair.proxy.cut();
    pair.logout(&first);
    pair.is_over(&first);
    // The others' sessions live, and the same once more while all know of the cut.
    pair.others(&second)[0].get(ME).expect(200);
    pair.logout(&second);
    pair.is_over(&second);
}

#[test]
fn a_session_that_it_revokes_is_refused_by_the_others_when_it_has_ended() {
    let pair = Pair::start();
    let login = pair.login();
    pair.proxy.cut();
    pair.logout(&login);
    pair.cut_off.process.kill();
    pair.is_over(&login);
}

#[test]
fn a_session_that_it_revokes_is_refused_by_one_that_starts_later() {
    let pair = Pair::start();
    let login = pair.login();
    pair.other.process.kill();
    pair.proxy.cut();
    pair.logout(&login);
    pair.cut_off.process.kill();
    let later = pair.other.options.clone();
    let other = Server::start(&ServerOptions { folder: None, port: None, ..later });
    Pair { other, ..pair }.is_over(&login);
}

#[test]
fn a_session_that_it_revokes_is_refused_by_the_others_when_redis_stands_still_for_it() {
    let pair = Pair::start();
    let login = pair.login();
    pair.proxy.freeze();
    pair.logout(&login);
    pair.cut_off.process.kill();
    pair.is_over(&login);
}

#[test]
fn records_that_it_changes_are_seen_by_the_others_soon() {
    let pair = Pair::start();
    let records = format!("/api/v1/records/{}", public_collection(&pair.cut_off));
    let path = |n: usize| format!("{records}/r{n}");
    let here = pair.cut_off.api();
    let there = pair.other.api();
    let seen = |n: usize| there.get(&path(n)).expect(200).json()["data"]["n"].as_u64();
    // More than a notice can name.
    let all = 0..300;
    for n in all.clone() {
        here.put(&path(n), &json!({"n": 1})).expect(201);
        assert_eq!(seen(n), Some(1));
        let hit = || there.get(&path(n)).expect(200).header("cache-status").contains("hit");
        wait_until("it is cached", NOTICED, hit).unwrap();
    }
    pair.proxy.cut();
    for (some, value) in [(0..3, 2), (all, 3)] {
        for n in some.clone() {
            here.put(&path(n), &json!({"n": value})).expect(200);
        }
        let all_seen = || some.clone().all(|n| seen(n) == Some(value));
        wait_until("the new values", SEEN, all_seen).expect("they are seen");
        assert!(some.clone().all(|n| seen(n) == Some(value)), "an old value came back");
    }
    pair.proxy.restore().expect("it goes on");
    wait_for_check(&pair.cut_off, "cache", "ok");
    let hit = || there.get(&path(0)).header("cache-status").contains("hit");
    wait_until("a hit", NOTICED, hit).expect("the cache is used again");
}
