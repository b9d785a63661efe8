//! Follows tasks, and lets some fail.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Api;

/// Waits until the task has this status.
#[track_caller]
pub(crate) fn until(api: &Api, path: &str, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let task = api.get(path).expect(200).json();
        if task["status"] == status {
            return task;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "not {status}: {task}");
        std::thread::yield_now();
    }
}

/// Tasks of this queue, which no worker of the server serves, that have failed too often; their
/// paths.
pub(crate) fn dead(admin: &Api, queue: &str, count: usize) -> Vec<String> {
    let body = json!({"kind": "noop", "payload": {}, "queue": queue, "max_attempts": 1});
    let enqueue = |_| admin.post("/api/v1/tasks", &body).expect(202).header("location").to_owned();
    let paths: Vec<String> = (0..count).map(enqueue).collect();
    let lease = json!({"kinds": ["noop"], "limit": count});
    let leased = admin.post(&format!("/api/v1/queues/{queue}/lease"), &lease).expect(200).json();
    for item in leased["items"].as_array().expect("items") {
        let path = format!("/api/v1/tasks/{}/fail", item["id"].as_str().expect("an id"));
        let failure = json!({"token": item["token"], "code": "broken", "message": "no"});
        admin.post(&path, &failure).expect(204);
    }
    for path in &paths {
        assert_eq!(admin.get(path).expect(200).json()["status"], "dead", "{path}");
    }
    paths
}
