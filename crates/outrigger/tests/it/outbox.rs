//! A task that is committed with a change runs, whoever dies before it is passed on to Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_testkit::{FaultProxy, Postgres, Redis, sized, wait_until};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions};

const CLIENTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// What clients were answered: the id of the task for each idempotency key, or nothing.
type Answers = Mutex<BTreeMap<String, Option<String>>>;

/// The database keeps the answer to each key in the batch of the task; so a key is a committed
/// record, and its task is the one that was committed with it.
fn enqueue(admin: &Api, key: &str) -> Option<String> {
    let body = json!({"kind": "noop", "payload": {"echo": key}}).to_string();
    let api = admin.with("idempotency-key", key);
    let answer = api.try_send("POST", "/api/v1/tasks", Some(("application/json", body))).ok()?;
    assert_eq!(answer.status, 202, "{}", answer.text);
    Some(answer.json()["id"].as_str().unwrap().to_owned())
}

/// Starts a process, lets clients enqueue, kills it in the midst of that. With `cut`, it could not
/// reach Redis any more since the last few commits: it dies between commit and publishing for sure.
fn round(number: usize, options: &ServerOptions, link: &FaultProxy, answers: &Answers) {
    let server = Server::start_with(options, &["--roles", "api"]);
    let admin = server.admin();
    let answered = AtomicUsize::new(0);
    let client = |client: usize| {
        for n in 0.. {
            let key = format!("r{number}-c{client}-{n}");
            let id = enqueue(&admin, &key);
            let is_gone = id.is_none();
            answers.lock().unwrap().insert(key, id);
            if is_gone {
                return;
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        (0..CLIENTS).for_each(|n| _ = scope.spawn(move || client(n)));
        let wait_for = |count: usize| {
            let enough = || answered.load(Ordering::SeqCst) >= count;
            wait_until("answers", PATIENCE, enough).unwrap();
        };
        // Somewhere, but at the same places in every run.
        let some = 1 + number * 7 % 23;
        wait_for(some);
        if number % 2 == 1 {
            link.cut();
            wait_for(answered.load(Ordering::SeqCst) + CLIENTS);
        }
        server.process.kill();
    });
    link.restore().unwrap();
}

/// All tasks that the queue knows, by id.
fn all_tasks(admin: &Api) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/api/v1/tasks?limit=100{cursor}")).expect(200).json();
        for task in page["items"].as_array().unwrap() {
            all.insert(task["id"].as_str().unwrap().to_owned(), task.clone());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// How many tasks the worker found in the outbox, by what it logged.
fn swept(worker: &Server) -> usize {
    let files = std::fs::read_dir(worker.path()).unwrap().filter_map(Result::ok);
    let logs = files.filter(|file| file.file_name().to_string_lossy().ends_with(".log"));
    let text: String = logs.map(|log| std::fs::read_to_string(log.path()).unwrap()).collect();
    let counts = text.split("swept=").skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().unwrap()
    });
    counts.sum()
}

#[test]
fn tasks_equal_what_was_committed_however_often_the_process_is_killed_before_it_publishes() {
    let rounds = sized(14, 200);
    let redis = Redis::shared().unwrap();
    let link = FaultProxy::start(redis.port()).unwrap();
    let database = Postgres::shared().and_then(Postgres::fresh_database).unwrap();
    let on = |redis: String| Backend::Urls { database: database.clone(), redis: Some(redis) };
    let direct = ServerOptions::on(on(redis.url()))
        .set("OUTRIGGER__TASKS__QUEUE", "redis")
        .set("OUTRIGGER__LOG__FORMAT", "text");
    let worker = Server::start_with(&direct, &["--roles", "worker"]);
    let through = ServerOptions { backend: on(redis.url_at(link.port())), ..direct.clone() };
    let answers = Answers::default();
    for number in 0..rounds {
        round(number, &through, &link, &answers);
    }

    let server = Server::start_with(&direct, &["--roles", "api"]);
    let admin = server.admin();
    // Tasks that nobody was told of were committed all the same, or were not: asking again with
    // the same key gives the committed one, or commits one.
    let answers = answers.into_inner().unwrap();
    let before = all_tasks(&admin).len();
    let mut committed = BTreeMap::new();
    for (key, told) in &answers {
        let id = enqueue(&admin, key).expect("it is answered");
        assert!(told.as_ref().is_none_or(|told| *told == id), "{key}: {told:?}, then {id}");
        committed.insert(id, key.clone());
    }
    assert_eq!(committed.len(), answers.len(), "each key has a task of its own");
    let is_done = |task: &Value| task["status"] == "succeeded";
    let done = || all_tasks(&admin).values().filter(|task| is_done(task)).count();
    wait_until("all are done", PATIENCE, || done() >= committed.len()).unwrap();
    let tasks = all_tasks(&admin);
    let known: BTreeSet<&String> = tasks.keys().collect();
    assert_eq!(known, committed.keys().collect(), "tasks equal what was committed");
    for (id, task) in &tasks {
        assert_eq!(task["result"], json!(committed[id]), "{task}");
    }
    let untold = answers.values().filter(|told| told.is_none()).count();
    let swept = swept(&worker);
    assert!(swept >= rounds / 2, "nothing was left in the outbox: {swept}");
    println!(
        "{rounds} kills, {} committed tasks, {untold} of them not answered before, {before} known \
         to the queue before they were asked for again, {swept} found in the outbox by the sweep; \
         none lost, none double",
        committed.len()
    );
}
