//! Workers come and go: killed, they lose nothing; told to stop, they abandon nothing.

use std::time::{Duration, Instant};

use outrigger_testkit::wait_until;
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions};

/// Tasks of one run.
const TASKS: usize = 1_200;
/// How long each takes, in milliseconds.
const EACH_MS: u64 = 200;
const WORKERS: usize = 3;
const KILLS: usize = 8;
/// A lease holds this long, in seconds; so the tasks of a killed worker run again well within 15 s.
const LEASE_S: u64 = 3;

/// An API process and the settings of its workers.
struct Fleet {
    api: Server,
    workers: Vec<Server>,
    options: ServerOptions,
}

impl Fleet {
    fn start(queue: &str) -> Self {
        let options = ServerOptions::on(Backend::postgres_and_redis())
            .set("OUTRIGGER__TASKS__QUEUE", queue)
            .set("OUTRIGGER__WORKER__LEASE_S", &LEASE_S.to_string())
            .set("OUTRIGGER__WORKER__CONCURRENCY", "16");
        let api = Server::start_with(&options, &["--roles", "api"]);
        let mut fleet = Self { api, workers: Vec::new(), options };
        (0..WORKERS).for_each(|_| fleet.hire());
        fleet
    }

    fn hire(&mut self) {
        self.workers.push(Server::start_with(&self.options, &["--roles", "worker"]));
    }

    /// Enqueues all tasks; gives their paths.
    fn enqueue(&self) -> Vec<String> {
        let admin = self.api.admin();
        let body = json!({"kind": "noop", "payload": {"sleep_ms": EACH_MS}});
        let part = |count: usize| {
            let (admin, body) = (admin.clone(), body.clone());
            move || -> Vec<String> {
                let one = |_| {
                    let answer = admin.post("/api/v1/tasks", &body).expect(202);
                    answer.header("location").to_owned()
                };
                (0..count).map(one).collect()
            }
        };
        std::thread::scope(|scope| {
            let parts: Vec<_> = (0..4).map(|_| scope.spawn(part(TASKS / 4))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        })
    }
}

fn default_queue(admin: &Api) -> Value {
    let queues = admin.get("/api/v1/queues").expect(200).json();
    let all = queues["items"].as_array().unwrap();
    all.iter().find(|queue| queue["name"] == "default").cloned().unwrap_or_default()
}

fn left(admin: &Api) -> u64 {
    let queue = default_queue(admin);
    ["queued", "running", "scheduled"].iter().filter_map(|state| queue[*state].as_u64()).sum()
}

/// All of them, as they ended.
fn ended(admin: &Api, paths: &[String]) -> Vec<Value> {
    paths.iter().map(|path| admin.get(path).expect(200).json()).collect()
}

#[expect(clippy::print_stdout, reason = "what was measured")]
fn killed_workers_lose_nothing(queue: &str) {
    let mut fleet = Fleet::start(queue);
    let paths = fleet.enqueue();
    let admin = fleet.api.admin();
    for kill in 0..KILLS {
        // Somewhere in the middle of their work: when some more tasks have been done.
        let before = left(&admin);
        let further = || left(&admin) + (TASKS / 4 / KILLS) as u64 <= before || before == 0;
        wait_until("tasks are done", Duration::from_secs(30), further).unwrap();
        let victim = fleet.workers.remove(kill % WORKERS);
        victim.process.kill();
        fleet.hire();
    }
    let killed = Instant::now();
    wait_until("all tasks are done", Duration::from_secs(60), || left(&admin) == 0).unwrap();
    let tasks = ended(&admin, &paths);
    let again = tasks.iter().filter(|task| task["attempts"] != 1).count();
    for task in &tasks {
        assert_eq!(task["status"], "succeeded", "{task}");
    }
    assert_eq!(default_queue(&admin)["dead"], 0);
    assert!(again > 0, "no worker was killed at its work");
    println!(
        "{queue}: {TASKS} tasks, {KILLS} workers killed, {again} tasks ran again, all done {:.1} s \
         after the last",
        killed.elapsed().as_secs_f64()
    );
}

fn workers_that_are_told_to_stop_abandon_nothing(queue: &str) {
    let mut fleet = Fleet::start(queue);
    let paths = fleet.enqueue();
    let admin = fleet.api.admin();
    for _ in 0..WORKERS {
        fleet.hire();
        let old = fleet.workers.remove(0);
        assert!(old.terminate().success(), "{}", old.process.log());
    }
    wait_until("all tasks are done", Duration::from_secs(60), || left(&admin) == 0).unwrap();
    for task in ended(&admin, &paths) {
        assert_eq!(
            (&task["status"], &task["attempts"]),
            (&json!("succeeded"), &json!(1)),
            "{task}"
        );
    }
}

#[test]
fn killed_workers_lose_nothing_from_the_database() {
    killed_workers_lose_nothing("database");
}

#[test]
fn killed_workers_lose_nothing_from_redis() {
    killed_workers_lose_nothing("redis");
}

#[test]
fn workers_that_are_told_to_stop_abandon_nothing_of_the_database() {
    workers_that_are_told_to_stop_abandon_nothing("database");
}

#[test]
fn workers_that_are_told_to_stop_abandon_nothing_of_redis() {
    workers_that_are_told_to_stop_abandon_nothing("redis");
}
