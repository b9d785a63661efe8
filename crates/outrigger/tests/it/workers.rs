//! Workers come and go: killed, they lose nothing; told to stop, they abandon nothing.

use std::time::{Duration, Instant};

use outrigger_kernel::Timestamp;
use outrigger_kernel::limits::TASK_CRASHES_MAX;
use outrigger_testkit::{Receiver, sized, wait_until};
use serde_json::{Value, json};

use crate::outages::metric;
use crate::support::{Api, Backend, Server, ServerOptions};

/// How long each takes, in milliseconds.
const EACH_MS: u64 = 200;
const WORKERS: usize = 3;
/// A lease holds this long, in seconds; so the tasks of a killed worker run again well within 15 s.
const LEASE_S: u64 = 3;
/// One that a worker keeps although its machine stands still for some seconds, where that is no part of
/// the test.
const LONG_LEASE_S: u64 = 10;
/// Within so many seconds of their worker's last sign of life they do.
const ORPHANED_S_MAX: f64 = 15.0;
/// Longest wait for tasks, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Tasks of one run.
fn tasks() -> usize {
    sized(1_200, 10_000)
}

/// Workers that are killed in one run; in a full one, each two seconds for a minute.
fn kills() -> usize {
    sized(8, 30)
}

/// An API process and the settings of its workers.
struct Fleet {
    api: Server,
    workers: Vec<Server>,
    options: ServerOptions,
}

impl Fleet {
    fn of(queue: &str, workers: usize, lease_s: u64) -> Self {
        let options = ServerOptions::on(Backend::postgres_and_redis())
            .set("OUTRIGGER__TASKS__QUEUE", queue)
            .set("OUTRIGGER__WORKER__LEASE_S", &lease_s.to_string())
            .set("OUTRIGGER__WORKER__CONCURRENCY", "16")
            .set("OUTRIGGER__WEBHOOKS__ALLOW_PRIVATE", "true");
        let api = Server::start_with(&options, &["--roles", "api"]);
        let mut fleet = Self { api, workers: Vec::new(), options };
        (0..workers).for_each(|_| fleet.hire());
        fleet
    }

    fn hire(&mut self) {
        self.workers.push(Server::start_with(&self.options, &["--roles", "worker"]));
    }

    /// Enqueues so many tasks of so many milliseconds, while none is claimed; gives their paths.
    fn enqueue(&self, count: usize, each_ms: u64) -> Vec<String> {
        let admin = self.api.admin();
        admin.post("/api/v1/queues/default/pause", &json!({})).expect(204);
        let body = json!({"kind": "noop", "payload": {"sleep_ms": each_ms}});
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
        let paths = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..4).map(|_| scope.spawn(part(count / 4))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        admin.post("/api/v1/queues/default/resume", &json!({})).expect(204);
        paths
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
    let mut fleet = Fleet::of(queue, WORKERS, LEASE_S);
    let paths = fleet.enqueue(tasks(), EACH_MS);
    let admin = fleet.api.admin();
    let pace = Duration::from_secs(sized(0, 2) as u64);
    for kill in 0..kills() {
        // Somewhere in the middle of their work: when some more tasks have been done.
        let (before, last) = (left(&admin), Instant::now());
        let further = before.saturating_sub((tasks() / 4 / kills()) as u64);
        let is_time = || last.elapsed() >= pace && left(&admin) <= further;
        wait_until("tasks are done", PATIENCE, is_time).unwrap();
        let victim = fleet.workers.remove(kill % WORKERS);
        victim.process.kill();
        fleet.hire();
    }
    let killed = Instant::now();
    wait_until("all tasks are done", PATIENCE, || left(&admin) == 0).unwrap();
    let tasks = ended(&admin, &paths);
    let again = tasks.iter().filter(|task| task["attempts"] != 1).count();
    // Where new workers start slowly, kills may meet a task so often that it is taken for their cause.
    let is_met = |task: &&Value| task["status"] == "dead" && task["error"]["code"] == "worker_lost";
    let met = tasks.iter().filter(is_met).count();
    for task in tasks.iter().filter(|task| !is_met(task)) {
        assert_eq!(task["status"], "succeeded", "{task}");
    }
    assert_eq!(default_queue(&admin)["dead"], met);
    assert!(met <= kills(), "a kill took several along: {met} are dead");
    assert!(again > 0, "no worker was killed at its work");
    let longest = tasks.iter().flat_map(orphaned_s).fold(0.0, f64::max);
    assert!(longest <= ORPHANED_S_MAX, "a task was nobody's for {longest:.1} s");
    println!(
        "{queue}: {} tasks, {} workers killed, {again} tasks ran again, at most {longest:.1} s after \
         their worker's last sign of life; all done {:.1} s after the last kill",
        tasks.len(),
        kills(),
        killed.elapsed().as_secs_f64()
    );
}

/// For how many seconds the task was nobody's, each time that its worker was lost: from the worker's
/// last sign of life, which is a lease before the lease's end, to the next attempt. One whose next lost
/// worker would be its last waits for its turn besides.
fn orphaned_s(task: &Value) -> Vec<f64> {
    let time = |value: &Value| Timestamp::parse(value.as_str().unwrap()).unwrap();
    let attempts = task["history"].as_array().unwrap();
    let starts = attempts.iter().skip(1).map(|attempt| &attempt["started_at"]);
    let starts = starts.chain([&task["started_at"]]);
    let each = attempts.iter().zip(starts).map(|(lost, next)| {
        let since_end = time(next).since(time(&lost["ended_at"])).as_secs_f64();
        since_end + Duration::from_secs(LEASE_S).as_secs_f64()
    });
    each.take(TASK_CRASHES_MAX as usize - 2).collect()
}

/// A worker that stood still for longer than its leases hold is heard no more: others have done its
/// tasks meanwhile, and what it says of them is refused, and counted.
#[expect(clippy::print_stdout, reason = "what was measured")]
fn a_worker_that_slept_is_not_heard(queue: &str) {
    let fleet = Fleet::of(queue, WORKERS, LONG_LEASE_S);
    // Long enough to be under way when the worker falls asleep, and more than the others take at once.
    let paths = fleet.enqueue(60, 12_000);
    let admin = fleet.api.admin();
    let sleeper = &fleet.workers[0];
    let is_busy = || metric(sleeper, &["outrigger_tasks_running"]) > 0.0;
    wait_until("it has tasks", PATIENCE, is_busy).unwrap();
    sleeper.process.signal("STOP").unwrap();
    wait_until("all tasks are done", PATIENCE, || left(&admin) == 0).unwrap();
    let done = ended(&admin, &paths);
    sleeper.process.signal("CONT").unwrap();
    let refused = || metric(sleeper, &["outrigger_task_leases_refused_total"]);
    wait_until("a refusal", PATIENCE, || refused() > 0.0).unwrap();
    assert_eq!(ended(&admin, &paths), done, "what the sleeper said changed something");
    assert!(done.iter().all(|task| task["status"] == "succeeded"));
    let again = done.iter().filter(|task| task["attempts"] != 1).count();
    assert!(again > 0, "the worker had no task");
    println!("{queue}: {again} tasks ran again, {} acknowledgements were refused", refused());
}

fn workers_that_are_told_to_stop_abandon_nothing(queue: &str) {
    let mut fleet = Fleet::of(queue, WORKERS, 6 * LONG_LEASE_S);
    let paths = fleet.enqueue(tasks(), EACH_MS);
    let admin = fleet.api.admin();
    for _ in 0..WORKERS {
        fleet.hire();
        let old = fleet.workers.remove(0);
        assert!(old.terminate().success(), "{}", old.process.log());
    }
    wait_until("all tasks are done", PATIENCE, || left(&admin) == 0).unwrap();
    for task in ended(&admin, &paths) {
        assert_eq!(
            (&task["status"], &task["attempts"]),
            (&json!("succeeded"), &json!(1)),
            "{task}"
        );
    }
}

/// A task that kills its worker whenever it runs is dead at last, and those that were running beside
/// it are done.
fn who_kills_its_worker_takes_none_along(queue: &str) {
    let mut fleet = Fleet::of(queue, 1, LONG_LEASE_S);
    let admin = fleet.api.admin();
    admin.post("/api/v1/queues/default/pause", &json!({})).expect(204);
    let enqueue = |kind: &str, payload: Value| {
        let task = json!({"kind": kind, "payload": payload, "max_attempts": 9});
        admin.post("/api/v1/tasks", &task).expect(202).header("location").to_owned()
    };
    let other = |_| enqueue("noop", json!({"sleep_ms": 1_500}));
    let mut others: Vec<String> = (0..3).map(other).collect();
    let deadly = Receiver::start().expect("a receiver");
    // It waits for longer than a slow machine takes to come to the kill.
    let killer = enqueue("http.request", json!({"url": deadly.url("/"), "timeout_s": 60}));
    others.extend((0..2).map(other));
    // One that still runs when a slow machine comes to the kill.
    others.push(enqueue("noop", json!({"sleep_ms": 12_000})));
    for _ in 0..TASK_CRASHES_MAX {
        deadly.stay_silent();
    }
    admin.post("/api/v1/queues/default/resume", &json!({})).expect(204);
    for kills in 1..=TASK_CRASHES_MAX as usize {
        wait_until("it runs", PATIENCE, || deadly.received().len() >= kills).unwrap();
        fleet.workers.remove(0).process.kill();
        fleet.hire();
    }
    wait_until("all tasks are done", PATIENCE, || left(&admin) == 0).unwrap();
    let dead = admin.get(&killer).expect(200).json();
    assert_eq!((&dead["status"], &dead["error"]["code"]), (&json!("dead"), &json!("worker_lost")));
    let others = ended(&admin, &others);
    assert!(others.iter().all(|task| task["status"] == "succeeded"), "{others:?}");
    let crashes = |task: &Value| task["history"].as_array().unwrap().len();
    assert!(others.iter().any(|task| crashes(task) == 2), "none ran beside it: {others:?}");
}

#[test]
fn who_kills_its_worker_takes_none_of_the_database_along() {
    who_kills_its_worker_takes_none_along("database");
}

#[test]
fn who_kills_its_worker_takes_none_of_redis_along() {
    who_kills_its_worker_takes_none_along("redis");
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
fn a_worker_that_slept_is_not_heard_by_the_database() {
    a_worker_that_slept_is_not_heard("database");
}

#[test]
fn a_worker_that_slept_is_not_heard_by_redis() {
    a_worker_that_slept_is_not_heard("redis");
}

#[test]
fn workers_that_are_told_to_stop_abandon_nothing_of_the_database() {
    workers_that_are_told_to_stop_abandon_nothing("database");
}

#[test]
fn workers_that_are_told_to_stop_abandon_nothing_of_redis() {
    workers_that_are_told_to_stop_abandon_nothing("redis");
}
