//! A task that is committed with a change runs, whoever dies before it is passed on to Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_testkit::{FaultProxy, Postgres, Redis, eventually, sized, wait_until};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions};

const COLLECTION: &str = "orders";
const CLIENTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether clients were told that it happened, for each record that they wanted to write.
type Answers = Mutex<BTreeMap<String, bool>>;

/// A record and a task in one batch; whether it was answered.
fn write(admin: &Api, id: &str) -> bool {
    let body = json!({
        "operations": [{"op": "put", "collection": COLLECTION, "id": id, "data": {}}],
        "tasks": [{"kind": "noop", "payload": {"echo": id}}],
    });
    let body = Some(("application/json", body.to_string()));
    let Ok(answer) = admin.try_send("POST", "/api/v1/batch", body) else { return false };
    assert_eq!(answer.status, 200, "{}", answer.text);
    true
}

/// Starts a process, lets clients enqueue, kills it in the midst of that. With `cut`, it could not
/// reach Redis any more since the last few commits: it dies between commit and publishing for sure.
fn round(number: usize, options: &ServerOptions, link: &FaultProxy, answers: &Answers) {
    let server = Server::start_with(options, &["--roles", "api"]);
    let admin = server.admin();
    let answered = AtomicUsize::new(0);
    let client = |client: usize| {
        for n in 0.. {
            let id = format!("r{number}-c{client}-{n}");
            let is_told = write(&admin, &id);
            answers.lock().unwrap().insert(id, is_told);
            if !is_told {
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
            // Those that were under way may have been published before, those after them not.
            wait_for(answered.load(Ordering::SeqCst) + 2 * CLIENTS);
        }
        server.process.kill();
    });
    link.restore().unwrap();
}

/// All items of a list, by id.
fn all(admin: &Api, path: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("{path}?limit=100{cursor}")).expect(200).json();
        for item in page["items"].as_array().unwrap() {
            all.insert(item["id"].as_str().unwrap().to_owned(), item.clone());
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
    let rounds = sized(10, 200);
    let redis = Redis::shared().unwrap();
    let link = FaultProxy::start(redis.port()).unwrap();
    let database = Postgres::shared().and_then(Postgres::fresh_database).unwrap();
    let on = |redis: String| Backend::Urls { database: database.clone(), redis: Some(redis) };
    let direct = ServerOptions::on(on(redis.url()))
        .set("OUTRIGGER__TASKS__QUEUE", "redis")
        .set("OUTRIGGER__LOG__FORMAT", "text");
    let worker = Server::start_with(&direct, &["--roles", "worker"]);
    let server = Server::start_with(&direct, &["--roles", "api"]);
    let define = format!("/api/v1/collections/{COLLECTION}");
    server.admin().put(&define, &json!({})).expect(201);
    let through = ServerOptions { backend: on(redis.url_at(link.port())), ..direct.clone() };
    let answers = Answers::default();
    for number in 0..rounds {
        round(number, &through, &link, &answers);
    }

    let (admin, answers) = (server.admin(), answers.into_inner().unwrap());
    let records = || all(&admin, &format!("/api/v1/records/{COLLECTION}"));
    let (told, there) = (|id: &String| answers[id], records());
    let lost: Vec<_> = answers.keys().filter(|id| told(id) && !there.contains_key(*id)).collect();
    assert!(lost.is_empty(), "answered, and not there: {lost:?}");
    let is_done = |task: &&Value| task["status"] == "succeeded";
    let of = |tasks: &BTreeMap<String, Value>| -> BTreeSet<String> {
        let of = |task: &Value| task["result"].as_str().map(str::to_owned);
        tasks.values().filter(is_done).filter_map(of).collect()
    };
    // What the last process has sent before it was killed may be committed after that.
    let records = eventually("all tasks are done", PATIENCE, || {
        let (tasks, records) = (all(&admin, "/api/v1/tasks"), records());
        let (of, written) = (of(&tasks), records.keys().cloned().collect::<BTreeSet<String>>());
        let differ: Vec<&String> = of.symmetric_difference(&written).collect();
        anyhow::ensure!(
            differ.is_empty(),
            "a record without its task, or without a record: {differ:?}"
        );
        anyhow::ensure!(tasks.len() == records.len(), "{} for {}", tasks.len(), records.len());
        Ok(records)
    })
    .expect("each record has its one task, and each task its record");
    let untold = records.keys().filter(|id| !told(id)).count();
    let swept = swept(&worker);
    assert!(swept >= rounds / 2, "nothing was left in the outbox: {swept}");
    println!(
        "{rounds} kills, {} committed records and as many tasks, {untold} of them not answered \
         before, {swept} found in the outbox by the sweep; none lost, none double",
        records.len()
    );
}
