//! Follows tasks, and lets some fail.

use std::time::Duration;

use outrigger_testkit::eventually;
use serde_json::{Value, json};

use super::Api;

/// For so long a lease holds: no machine is as slow.
const LONG_S: u64 = 3_600;

/// Waits until the task has this status.
#[track_caller]
pub(crate) fn until(api: &Api, path: &str, status: &str) -> Value {
    let look = || {
        let task = api.get(path).expect(200).json();
        anyhow::ensure!(task["status"] == status, "{task}");
        Ok(task)
    };
    eventually(status, Duration::from_secs(120), look).unwrap()
}

/// Tasks of this queue, which no worker of the server serves, that have failed too often; their
/// paths.
pub(crate) fn dead(admin: &Api, queue: &str, count: usize) -> Vec<String> {
    let body = json!({"kind": "noop", "payload": {}, "queue": queue, "max_attempts": 1,
        "timeout_s": LONG_S});
    let enqueue = |_| admin.post("/api/v1/tasks", &body).expect(202).header("location").to_owned();
    let paths: Vec<String> = (0..count).map(enqueue).collect();
    let mut left = count;
    while left > 0 {
        let lease = json!({"kinds": ["noop"], "limit": left, "lease_s": LONG_S, "wait_s": 20});
        let path = format!("/api/v1/queues/{queue}/lease");
        let leased = admin.post(&path, &lease).expect(200).json();
        let items = leased["items"].as_array().expect("items");
        assert!(!items.is_empty(), "{left} of {queue} cannot be leased");
        for item in items {
            let path = format!("/api/v1/tasks/{}/fail", item["id"].as_str().expect("an id"));
            let failure = json!({"token": item["token"], "code": "broken", "message": "no"});
            admin.post(&path, &failure).expect(204);
        }
        left -= items.len();
    }
    for path in &paths {
        assert_eq!(admin.get(path).expect(200).json()["status"], "dead", "{path}");
    }
    paths
}
