//! The example, started: its own route has sign-in, limits, metrics and docs like the built-in ones.

#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::process::Command;
use std::time::Duration;

use outrigger_testkit::{Process, TempDir, free_port, wait_until};
use serde_json::{Value, json};
use ureq::http::Response;

const COUNT: &str = "/api/v1/notes/count";
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a-tall-ship-and-a-star";

struct Example {
    agent: ureq::Agent,
    port: u16,
    internal_port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Example {
    fn start() -> Self {
        let folder = TempDir::new("notes").unwrap();
        let (port, internal_port) = (free_port().unwrap(), free_port().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
        command.arg("serve").current_dir(folder.path()).env_clear();
        for (name, value) in [
            ("PORT", port.to_string()),
            ("OUTRIGGER__HTTP__INTERNAL_PORT", internal_port.to_string()),
            ("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "200".to_owned()),
            ("OUTRIGGER__AUTH__HASH_MEMORY_KIB", "64".to_owned()),
            ("OUTRIGGER_ADMIN_EMAIL", EMAIL.to_owned()),
            ("OUTRIGGER_ADMIN_PASSWORD", PASSWORD.to_owned()),
        ] {
            command.env(name, value);
        }
        let process = Process::spawn("notes", &command, &folder.join("log")).unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent = ureq::Agent::from(config);
        let url = format!("http://127.0.0.1:{port}/health/ready");
        let is_ready = || agent.get(&url).call().is_ok_and(|answer| answer.status() == 200);
        wait_until("the example is ready", Duration::from_secs(60), is_ready)
            .unwrap_or_else(|error| panic!("{error}: {}", process.log()));
        Self { agent, port, internal_port, _process: process, _folder: folder }
    }

    fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Response<ureq::Body> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request = request.header("content-type", "application/json").body(text);
        self.agent.run(request.unwrap()).unwrap()
    }

    fn json(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let mut answer = self.send(method, path, token, body);
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.internal_port);
        self.agent.get(&url).call().unwrap().body_mut().read_to_string().unwrap()
    }
}

#[test]
fn an_own_route_has_what_the_built_in_ones_have() {
    let example = Example::start();
    let none = Value::Null;
    // Sign-in.
    let refused = example.send("GET", COUNT, "", &none);
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let login = example.json("POST", "/api/v1/auth/login", "", &login);
    let token = login["access_token"].as_str().unwrap();
    // The services of the built-in routes.
    let rules = json!({"rules": {"list": "owner", "create": "user"}});
    example.json("PUT", "/api/v1/collections/notes", token, &rules);
    for number in 0..3 {
        example.json("POST", "/api/v1/records/notes", token, &json!({"number": number}));
    }
    assert_eq!(example.json("GET", COUNT, token, &none), json!({"notes": 3}));
    // A job, enqueued with the note.
    let note = json!({"text": "a tall ship and a star"});
    let written = example.json("PUT", "/api/v1/notes/first", token, &note);
    let task = format!("/api/v1/tasks/{}", written["tasks"][0].as_str().unwrap());
    // One request until its end: asking again and again would come to the limit.
    let mut events = example.send("GET", &format!("{task}/events"), token, &none);
    let events = events.body_mut().read_to_string().unwrap();
    assert!(events.contains("\"status\":\"succeeded\""), "{events}");
    let note = example.json("GET", "/api/v1/records/notes/first", token, &none);
    assert_eq!(note["data"]["words"], 6);
    // Limits.
    let limited = (0..10_000).map(|_| example.send("GET", COUNT, token, &none));
    let limited = limited.into_iter().find(|answer| answer.status() == 429);
    let limited = limited.expect("too many are refused");
    assert!(limited.headers().contains_key("retry-after"));
    assert_eq!(limited.headers()["ratelimit-policy"], "\"default\";q=200;w=60");
    // Metrics.
    let metrics = example.metrics();
    for status in ["200", "401", "429"] {
        let counted = metrics.lines().any(|line| {
            line.starts_with("outrigger_http_request_duration_seconds_count")
                && line.contains(&format!("route=\"{COUNT}\""))
                && line.contains(&format!("status=\"{status}\""))
        });
        assert!(counted, "{status} is not in the metrics");
    }
    // Docs.
    let document = example.json("GET", "/openapi.json", "", &none);
    let kinds = document["x-outrigger-task-kinds"].as_array().unwrap();
    let job = kinds.iter().find(|kind| kind["kind"] == "notes.count_words").unwrap();
    assert_eq!(job["payload"]["properties"]["note"]["type"], "string");
    let note = &document["paths"][COUNT]["get"];
    assert_eq!((&note["x-outrigger-access"], &note["tags"]), (&json!("user"), &json!(["notes"])));
    assert!(note["responses"]["429"].is_object());
}
