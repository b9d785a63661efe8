//! The adapter on real Redis servers: plain, with TLS, a cluster; present, away, frozen.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cache;
mod conformance;
mod limiter;
mod many_tasks;
mod metrics;
mod outages;
mod probe;
mod queue;
mod rotation;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use outrigger_kernel::{SystemClock, SystemRandom};
use outrigger_redis::{RedisClient, RedisOptions};

const SOON: Duration = Duration::from_secs(60);
/// After so long a hasty client does not wait for an answer any more.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// Options with short pauses, so that tests are quick, and with patience: on a busy machine a server
/// that is well may answer late.
fn options(url: String) -> RedisOptions {
    RedisOptions { response_timeout: SOON, ..hasty(url) }
}

/// The same with less patience, for tests in which nobody answers.
fn hasty(url: String) -> RedisOptions {
    let (backoff_max, heartbeat) = (Duration::from_millis(100), Duration::from_millis(500));
    let response_timeout = GIVEN_UP;
    RedisOptions { backoff_max, heartbeat, response_timeout, ..RedisOptions::new(url.into()) }
}

fn start(options: &RedisOptions) -> RedisClient {
    RedisClient::connect(options, Arc::new(SystemClock), Arc::new(SystemRandom)).unwrap()
}

/// A connected client.
async fn client(options: &RedisOptions) -> RedisClient {
    let client = start(options);
    assert!(client.wait_connected(SOON).await, "not connected");
    client
}

/// A key that no other test uses.
fn key(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
