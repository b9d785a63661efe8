//! A session that was revoked while Redis was away stays revoked when Redis is back with what it
//! knew before.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outrigger_testkit::{Postgres, Redis, RedisOptions, wait_until};
use serde_json::Value;

use super::{NOTICED, check, metric, token};
use crate::support::{Api, Backend, Server, ServerOptions};

const ME: &str = "/api/v1/users/me";
/// How long is looked after Redis is back; what is cached lives for a minute.
const LOOK: Duration = Duration::from_secs(5);

struct Deployment {
    redis: Redis,
    servers: Vec<Server>,
}

impl Deployment {
    /// Redis keeps what it knows on disk.
    fn start(count: usize) -> Self {
        Self::start_on(count, RedisOptions { appendonly: true, ..RedisOptions::default() })
    }

    fn start_on(count: usize, options: RedisOptions) -> Self {
        let redis = Redis::start_with(options).expect("Redis starts");
        let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
        let backend = Backend::Urls { database, redis: Some(redis.url()) };
        let options =
            ServerOptions::on(backend).set("OUTRIGGER_PUBLIC_URL", "http://outrigger.test");
        Self { redis, servers: (0..count).map(|_| Server::start(&options)).collect() }
    }

    /// Clients of each process, on all threads of it.
    fn clients(&self, token: &str) -> Vec<Api> {
        let several = |server: &Server| (0..4).map(|_| server.api().with_token(token)).collect();
        self.servers.iter().flat_map(|server| -> Vec<Api> { several(server) }).collect()
    }

    /// Revokes a cached session while Redis is away, brings Redis back, and looks from all clients
    /// at once whether the session lives again.
    fn revoke_while(&self, away: impl Fn(&Redis), back: impl Fn(&Redis)) {
        let (_, login): (String, Value) = self.servers[0].new_login();
        let clients = self.clients(token(&login));
        for _ in 0..2 {
            for api in &clients {
                api.get(ME).expect(200);
            }
        }
        away(&self.redis);
        // A short failure may be noticed by nobody; this is an outage that everybody has noticed.
        let noticed = |server: &Server| {
            for api in &clients {
                api.get(ME).expect(200);
            }
            metric(server, &["outrigger_breaker_open", "of=\"cache\""]) > 0.5
        };
        let by_all = || self.servers.iter().all(noticed);
        wait_until("an outage", NOTICED, by_all).expect("it is noticed");
        self.log_out(token(&login));
        self.look_while(&clients, || back(&self.redis));
    }

    fn log_out(&self, token: &str) {
        let here = self.servers[0].api().with_token(token);
        here.send("POST", "/api/v1/auth/logout", None).expect(204);
    }

    /// Looks from all clients at once whether their session lives again, while `what` happens to
    /// Redis and for a while after it is back.
    fn look_while(&self, clients: &[Api], what: impl Fn()) {
        let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
        let served: Vec<(usize, u16)> = std::thread::scope(|scope| {
            let ask = |(number, api): (usize, &Api)| {
                let (api, done, asked) = (api.clone(), &done, &asked);
                scope.spawn(move || {
                    let mut wrong = Vec::new();
                    while !done.load(Ordering::SeqCst) {
                        let status = api.get(ME).status;
                        asked.fetch_add(1, Ordering::SeqCst);
                        if status != 401 {
                            wrong.push((number, status));
                        }
                    }
                    wrong
                })
            };
            let asking: Vec<_> = clients.iter().enumerate().map(ask).collect();
            what();
            let since = Instant::now();
            let is_back = || self.servers.iter().all(|server| check(server, "cache") == "ok");
            while since.elapsed() < LOOK || !is_back() {
                assert!(since.elapsed() < NOTICED, "the cache is never back");
                std::thread::sleep(Duration::from_millis(50));
            }
            done.store(true, Ordering::SeqCst);
            asking.into_iter().flat_map(|one| one.join().expect("it asks")).collect()
        });
        let asked = asked.into_inner();
        assert!(
            served.is_empty(),
            "served {} of {asked} times: {:?}",
            served.len(),
            served.first()
        );
    }
}

#[test]
fn in_one_process_when_redis_comes_back_with_old_data() {
    let deployment = Deployment::start(1);
    for _ in 0..2 {
        deployment.revoke_while(Redis::kill, |redis| redis.start_again().expect("it starts"));
    }
}

#[test]
fn in_one_process_when_redis_stood_still() {
    let deployment = Deployment::start(1);
    for _ in 0..2 {
        deployment.revoke_while(|r| r.pause().unwrap(), |r| r.resume().unwrap());
    }
}

#[test]
fn in_two_processes_when_redis_comes_back_with_old_data() {
    let deployment = Deployment::start(2);
    for _ in 0..2 {
        deployment.revoke_while(Redis::kill, |redis| redis.start_again().expect("it starts"));
    }
}

#[test]
fn in_two_processes_when_redis_loses_its_last_writes() {
    // What is on its disk is what `SAVE` writes, and not what comes after.
    let deployment = Deployment::start_on(2, RedisOptions::default());
    let (_, login): (String, Value) = deployment.servers[0].new_login();
    let clients = deployment.clients(token(&login));
    for api in clients.iter().chain(&clients) {
        api.get(ME).expect(200);
    }
    deployment.redis.cli(&["SAVE"]).expect("it is saved");
    deployment.log_out(token(&login));
    for api in &clients {
        api.get(ME).expect(401);
    }
    deployment.look_while(&clients, || {
        deployment.redis.kill();
        deployment.redis.start_again().expect("it starts");
    });
}

#[test]
fn in_two_processes_when_redis_stood_still() {
    let deployment = Deployment::start(2);
    for _ in 0..2 {
        deployment.revoke_while(|r| r.pause().unwrap(), |r| r.resume().unwrap());
    }
}
