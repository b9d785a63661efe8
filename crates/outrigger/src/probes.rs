//! Asks every backend how it is, again and again, for `/health/ready` and `/api/health/`.

use std::sync::Arc;
use std::time::Duration;

use outrigger_http::health::{Check, CheckStatus, Health, WORKER};
use outrigger_ports::probe::Probed;
use outrigger_ports::store::Store;

use crate::compose::Connected;

/// How often each backend is asked.
const EVERY: Duration = Duration::from_secs(1);
/// While all is well, what Redis may be behind is asked only each so many times: it has much to say.
const REDIS_EVERY: usize = 5;

/// Runs until the process ends.
pub(crate) async fn run(
    connected: Connected,
    health: Arc<Health>,
    worker: Option<outrigger_worker::Health>,
) {
    for round in 1_usize.. {
        tokio::time::sleep(EVERY).await;
        database(&connected, &health).await;
        if round % REDIS_EVERY == 0 || !health.is_well() {
            redis(&connected, &health).await;
        }
        connected.ports.cache.repair().await;
        if let Some(worker) = &worker {
            health.note(WORKER, consuming(worker));
        }
    }
}

/// Says in the log what somebody should look at, such as more connections than the server allows.
pub(crate) async fn warn(database: &dyn Store) {
    for finding in database.probe().await.into_iter().flat_map(|probed| probed.findings) {
        tracing::warn!("database: {}", finding.message);
    }
}

/// Asks each backend once.
pub(crate) async fn once(connected: &Connected, health: &Health) {
    database(connected, health).await;
    redis(connected, health).await;
}

async fn database(connected: &Connected, health: &Health) {
    let database = connected.ports.store.probe().await.map_err(|error| error.to_string());
    health.note("database", check(database, CheckStatus::Down));
    if let Some(replica) = &connected.replica {
        let replica = replica.probe().await.map_err(|error| error.to_string());
        health.note("database_readonly", check(replica, CheckStatus::Degraded));
    }
}

/// What may be on Redis; the cache and limits in memory are always well.
async fn redis(connected: &Connected, health: &Health) {
    let cache = connected.cache.probe().await.map_err(|error| error.to_string());
    health.note("cache", check(cache, CheckStatus::Degraded));
    let limiter = connected.ports.limiter.probe().await.map_err(|error| error.to_string());
    health.note("limiter", check(limiter, CheckStatus::Degraded));
    let queue = connected.ports.board.probe().await.map_err(|error| error.to_string());
    health.note("queue", check(queue, CheckStatus::Degraded));
}

/// A worker is well when it consumes, whatever its port answers.
fn consuming(worker: &outrigger_worker::Health) -> Check {
    let stands = format!("has claimed nothing for {} s", worker.still().as_secs());
    match worker.is_well() {
        true => Check { status: CheckStatus::Ok, latency_ms: None, detail: None },
        false => Check { status: CheckStatus::Down, latency_ms: None, detail: Some(stands) },
    }
}

/// What clients may see of a probe: not the backend's own words, which may name hosts and users.
fn check(probed: Result<Probed, String>, when_away: CheckStatus) -> Check {
    match probed {
        Ok(probed) => Check {
            status: CheckStatus::Ok,
            latency_ms: Some(probed.latency.as_secs_f64() * 1_000.0),
            detail: None,
        },
        Err(error) => {
            tracing::debug!(source = error, "a probe failed");
            let detail = match when_away {
                CheckStatus::Degraded => "not reachable; working without it",
                _ => "not reachable",
            };
            Check { status: when_away, latency_ms: None, detail: Some(detail.to_owned()) }
        }
    }
}
