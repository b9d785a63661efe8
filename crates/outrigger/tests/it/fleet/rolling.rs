//! A rolling restart behind a balancer loses no request.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use super::{Fleet, UP_TIMEOUT};
use crate::support::{Api, Server, ServerOptions};

/// How many processes are restarted, one after the other.
pub(super) const PROCESSES: usize = 3;
const READERS: usize = 3;
const WRITERS: usize = 3;

/// What the clients share.
#[derive(Default)]
struct Load {
    done: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    /// What was acknowledged: the number that each record must have at least.
    acknowledged: Mutex<BTreeMap<String, u64>>,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.done.load(Ordering::SeqCst)
    }

    /// Sends one request; anything but `status` is a failure.
    fn send(
        &self,
        api: &Api,
        method: &str,
        path: &str,
        body: Option<String>,
        status: &[u16],
    ) -> bool {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let body = body.map(|text| ("application/json", text));
        let failure = match api.try_send(method, path, body) {
            Ok(answer) if status.contains(&answer.status) => return true,
            Ok(answer) => format!("{method} {path}: {} {}", answer.status, answer.text),
            Err(error) => format!("{method} {path}: {error}"),
        };
        self.failures.lock().unwrap().push(failure);
        false
    }

    fn write(&self, api: &Api, collection: &str, writer: usize) {
        let mut n = 0;
        while self.goes_on() {
            n += 1;
            let id = format!("w{writer}-{}", n % 50);
            let path = format!("/api/v1/records/{collection}/{id}");
            let body = json!({"n": n}).to_string();
            if self.send(api, "PUT", &path, Some(body), &[200, 201]) {
                self.acknowledged.lock().unwrap().insert(id, n);
            }
        }
    }

    fn read(&self, api: &Api, collection: &str, reader: usize) {
        let mut n = 0;
        while self.goes_on() {
            n += 1;
            let path = format!("/api/v1/records/{collection}/w{}-{}", reader % WRITERS, n % 50);
            self.send(api, "GET", &path, None, &[200, 404]);
            self.send(api, "GET", "/api/v1/users/me", None, &[200]);
        }
    }

    /// Requests that no balancer may repeat.
    fn create(&self, api: &Api, collection: &str) {
        while self.goes_on() {
            let path = format!("/api/v1/records/{collection}");
            self.send(api, "POST", &path, Some("{}".to_owned()), &[201]);
        }
    }

    /// Connections that live for one request only.
    fn come_and_go(&self, url: &str, token: &str) {
        while self.goes_on() {
            let api = Api::new(url).with_token(token).with("connection", "close");
            self.send(&api, "GET", "/api/v1/users/me", None, &[200]);
        }
    }

    fn wait_for_more(&self, count: u64) {
        let enough = self.requests.load(Ordering::SeqCst) + count;
        let reached = || self.requests.load(Ordering::SeqCst) >= enough;
        outrigger_testkit::wait_until("requests", UP_TIMEOUT, reached).expect("the load goes on");
    }
}

/// Restarts one process after the other while clients work through the balancer at `url`; `all_up`
/// waits until it uses all of them. Fails when a single request did.
pub(super) fn restart_under_load(mut fleet: Fleet, url: &str, all_up: &dyn Fn()) {
    let collection = fleet.server(0).collection(&json!({"rules":
        {"list": "user", "read": "user", "create": "user", "update": "user", "delete": "user"}}));
    let login = fleet.server(0).new_login().1;
    let token = login["access_token"].as_str().unwrap().to_owned();
    let load = Load::default();
    std::thread::scope(|scope| {
        let (load, token, collection) = (&load, &token, &collection);
        for writer in 0..WRITERS {
            scope.spawn(move || load.write(&Api::new(url).with_token(token), collection, writer));
        }
        for reader in 0..READERS {
            scope.spawn(move || load.read(&Api::new(url).with_token(token), collection, reader));
        }
        scope.spawn(move || load.create(&Api::new(url).with_token(token), collection));
        scope.spawn(move || load.come_and_go(url, token));
        let restarted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..fleet.servers.len() {
                load.wait_for_more(200);
                let server = fleet.servers.remove(0);
                assert!(server.terminate().success());
                fleet.servers.push(server.start_again());
                all_up();
            }
            load.wait_for_more(200);
        }));
        load.done.store(true, Ordering::SeqCst);
        if let Err(panic) = restarted {
            std::panic::resume_unwind(panic);
        }
    });
    let failures = load.failures.into_inner().unwrap();
    let requests = load.requests.into_inner();
    assert!(
        failures.is_empty(),
        "{} of {requests} failed: {:?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
    let api = fleet.api(0).with_token(&token);
    for (id, n) in load.acknowledged.into_inner().unwrap() {
        let read = api.get(&format!("/api/v1/records/{collection}/{id}")).expect(200).json();
        assert_eq!(read["data"]["n"], n, "{id}");
    }
}

/// Settings of processes that are restarted: they drain for longer than a balancer may need to notice
/// on a busy machine, and cut nothing off that takes its time there.
pub(super) fn options() -> ServerOptions {
    Fleet::options().set("OUTRIGGER__HTTP__DRAIN_S", "5").set("OUTRIGGER__HTTP__SHUTDOWN_S", "50")
}

#[test]
fn a_rolling_restart_of_three_processes_under_load_fails_no_request() {
    let fleet = Fleet::start(PROCESSES, &options());
    let balancer = fleet.balancer();
    let all_up = || balancer.wait_for_up(PROCESSES, UP_TIMEOUT).expect("it is seen again");
    restart_under_load(fleet, &balancer.url(), &all_up);
}

#[test]
fn a_killed_process_costs_only_what_it_had_in_flight_and_the_others_go_on() {
    let mut fleet = Fleet::start(2, &Fleet::options());
    let balancer = fleet.balancer();
    let (email, login) = fleet.server(0).new_login();
    let api = Api::new(&balancer.url()).with_token(login["access_token"].as_str().unwrap());
    fleet.server(0).process.kill();
    balancer.wait_for_up(1, UP_TIMEOUT).expect("the balancer notices");
    for _ in 0..50 {
        api.get("/api/v1/users/me").expect(200);
    }
    api.login(&email, Server::password()).expect(200);
    let killed = fleet.servers.remove(0);
    fleet.servers.push(killed.start_again());
    balancer.wait_for_up(2, UP_TIMEOUT).expect("it is back");
    for _ in 0..20 {
        api.get("/api/v1/users/me").expect(200);
    }
}
