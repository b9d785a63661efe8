//! The example of a worker in another language, against the real binary.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use outrigger_testkit::{Process, wait_until};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, until};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/python-worker/worker.py");
const PATIENCE: Duration = Duration::from_secs(120);
/// In seconds: signs of life, three within it, may be late by more than half of it on a busy machine.
const LEASE_S: usize = 12;
/// Words of a text in a second, each with a pause behind it.
const WORDS_PER_S: usize = 10;

fn start() -> Server {
    let options = ServerOptions::on(Backend::postgres_and_redis())
        .set("OUTRIGGER__TASKS__EXTERNAL_KINDS", "report.words");
    Server::start(&options)
}

/// The script, signed in as a user with the role `worker`.
fn worker(server: &Server) -> Process {
    let (email, login) = server.new_login();
    let user = format!("/api/v1/users/{}", login["user"]["id"].as_str().unwrap());
    server.admin().patch(&user, &json!({"role": "worker"})).expect(200);
    assert!(Path::new(SCRIPT).is_file());
    let mut command = Command::new("python3");
    command
        .arg(SCRIPT)
        .env("OUTRIGGER_URL", format!("http://127.0.0.1:{}", server.port))
        .env("OUTRIGGER_EMAIL", email)
        .env("OUTRIGGER_PASSWORD", Server::password())
        .env("OUTRIGGER_LEASE_S", LEASE_S.to_string());
    Process::spawn("python3", &command, &server.path().join("python.log")).unwrap()
}

/// Enqueues a text of so many words, with a pause of 0.1 s after each; the path of the task.
fn enqueue(admin: &Api, words: usize) -> String {
    let text = vec!["word"; words].join(" ");
    let payload = json!({"text": text, "pause_s": 0.1});
    put(admin, &payload)
}

fn put(admin: &Api, payload: &Value) -> String {
    let body = json!({"kind": "report.words", "payload": payload});
    admin.post("/api/v1/tasks", &body).expect(202).header("location").to_owned()
}

#[test]
fn a_worker_in_python_completes_fails_keeps_its_leases_and_ends_in_order() {
    let server = start();
    let admin = server.admin();
    let process = worker(&server);

    let path = put(&admin, &json!({"text": "one Two two"}));
    assert_eq!(until(&admin, &path, "succeeded")["result"], json!({"one": 1, "two": 2}));

    let failed = until(&admin, &put(&admin, &json!({})), "failed");
    assert_eq!(failed["error"], json!({"code": "invalid", "message": "the payload needs a text"}));

    // Twice as long as its lease: without heartbeats it would be another attempt.
    let words = 2 * LEASE_S * WORDS_PER_S;
    let path = enqueue(&admin, words);
    let is_done = || admin.get(&path).expect(200).json()["status"] == "succeeded";
    wait_until("the long one is done", PATIENCE, is_done).unwrap();
    let long = admin.get(&path).expect(200).json();
    assert_eq!((&long["attempts"], &long["result"]), (&json!(1), &json!({"word": words})));
    assert_eq!(long["progress"]["of"], words, "{long}");

    let path = enqueue(&admin, 600);
    until(&admin, &path, "running");
    admin.post(&format!("{path}/cancel"), &json!({})).expect(200);
    until(&admin, &path, "cancelled");

    // The first one runs until the worker has been told, also when that takes a while.
    let (last, never) = (enqueue(&admin, 15 * WORDS_PER_S), enqueue(&admin, 1));
    until(&admin, &last, "running");
    let ended = process.stop("TERM", PATIENCE).unwrap();
    assert!(ended.success(), "{}", process.log());
    assert_eq!(admin.get(&last).expect(200).json()["status"], "succeeded");
    assert_eq!(admin.get(&never).expect(200).json()["status"], "queued");
    assert!(process.log().contains("stopped"), "{}", process.log());
}

#[test]
fn a_worker_in_python_outlives_an_outage_of_the_server() {
    let server = start();
    let process = worker(&server);
    let path = put(&server.admin(), &json!({"text": "a"}));
    until(&server.admin(), &path, "succeeded");
    server.process.kill();
    let is_noticed = || process.log().contains("the server is away");
    wait_until("it is noticed", PATIENCE, is_noticed).unwrap();
    let server = server.start_again();
    let path = put(&server.admin(), &json!({"text": "b b"}));
    assert_eq!(until(&server.admin(), &path, "succeeded")["result"], json!({"b": 2}));
    assert!(process.is_running(), "{}", process.log());
}
