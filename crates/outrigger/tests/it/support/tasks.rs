//! Follows tasks.

use std::time::{Duration, Instant};

use serde_json::Value;

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
        assert!(started.elapsed() < Duration::from_secs(20), "not {status}: {task}");
        std::thread::yield_now();
    }
}
