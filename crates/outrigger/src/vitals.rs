//! What this process tells the others of itself: who it is, how it finds its backends, and what it did,
//! read from its own metrics every few seconds.

use std::sync::Arc;
use std::time::Duration;

use outrigger_domain::replicas::{Backend, POINT_S, Replica, Replicas};
use outrigger_http::health::{Check, CheckStatus, Health};
use outrigger_kernel::Clock;
use tokio::task::JoinHandle;

use crate::compose::Backends;
use crate::counts::Counts;
use crate::readings::Readings;

/// How many points are noted between two writes to the store.
const TOLD_EVERY: u64 = 2;

/// Watches the process.
pub(crate) struct Vitals {
    name: String,
    host: String,
    clock: Arc<dyn Clock>,
    replicas: Replicas,
    health: Arc<Health>,
    readings: Readings,
}

impl Vitals {
    /// Of the process with these.
    pub(crate) fn new(
        backends: &Backends,
        replicas: &Replicas,
        health: &Arc<Health>,
        readings: Readings,
        name: String,
    ) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            name,
            host: host.trim().to_owned(),
            clock: backends.clock(),
            replicas: replicas.clone(),
            health: health.clone(),
            readings,
        }
    }

    /// Says that the process is there.
    pub(crate) async fn begin(&self) {
        self.replicas.note(self.replica(), None);
        tell(self.replicas.clone()).await;
    }

    /// Says how it is until it ends.
    pub(crate) async fn run(self) {
        let mut before = self.counts();
        let mut telling: Option<JoinHandle<()>> = None;
        for round in 1_u64.. {
            tokio::time::sleep(self.rest()).await;
            let now = self.counts();
            let at = self.clock.now().as_secs();
            let interval = i64::try_from(POINT_S).unwrap_or(1);
            // The seconds that have just ended.
            let point = now.since(&before, at - at.rem_euclid(interval) - interval);
            before = now;
            self.replicas.note(self.replica(), Some(point));
            // In a task of its own: a slow store must not make the next point longer.
            let is_told = telling.as_ref().is_none_or(JoinHandle::is_finished);
            if round % TOLD_EVERY == 0 && is_told {
                telling = Some(tokio::spawn(tell(self.replicas.clone())));
            }
        }
    }

    /// How long it is to the end of these seconds: those of all processes end together.
    fn rest(&self) -> Duration {
        let interval = Duration::from_secs(POINT_S).as_micros();
        let now = u128::try_from(self.clock.now().as_micros()).unwrap_or(0);
        let rest = interval - now % interval;
        Duration::from_micros(u64::try_from(rest).unwrap_or(1))
    }

    fn counts(&self) -> Counts {
        Counts::read(&self.readings.text())
    }

    fn replica(&self) -> Replica {
        let backends = self.health.checks().into_iter().map(|(name, check)| {
            let Check { status, latency_ms, detail } = check;
            let status = match status {
                CheckStatus::Ok => "ok",
                CheckStatus::Degraded => "degraded",
                CheckStatus::Down => "down",
            };
            (name.to_owned(), Backend { status: status.to_owned(), latency_ms, detail })
        });
        Replica {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: self.health.role().to_owned(),
            host: self.host.clone(),
            pid: std::process::id(),
            started_at: self.health.started_at(),
            seen_at: self.clock.now(),
            status: self.health.word().to_owned(),
            backends: backends.collect(),
            points: Vec::new(),
        }
    }
}

async fn tell(replicas: Replicas) {
    if let Err(error) = replicas.tell().await {
        tracing::debug!(source = %error, "the others are not told of this replica");
    }
}
