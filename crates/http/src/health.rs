//! Whether the process is well: for load balancers, orchestrators and people.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use outrigger_kernel::{Clock, Timestamp};
use serde::Serialize;
use tokio::sync::Notify;

use crate::state::App;

/// The check of this process's own worker.
pub const WORKER: &str = "worker";

/// What one dependency said when it was last asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// `ok`, `degraded` (works without) or `down`.
    pub status: CheckStatus,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// What is wrong, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How one dependency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Answers.
    Ok,
    /// Does not answer, and the product goes on without.
    Degraded,
    /// Does not answer, and is needed.
    Down,
}

/// The health of the process; its threads share one.
#[derive(Debug)]
pub struct Health {
    role: String,
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    draining: AtomicBool,
    told: Notify,
    checks: RwLock<BTreeMap<&'static str, Check>>,
}

#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    version: &'static str,
    role: &'a str,
    uptime_s: u64,
    checks: &'a BTreeMap<&'static str, Check>,
}

impl Health {
    /// A process of this role that has just started.
    pub fn new(role: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            role: role.into(),
            started_at: clock.now(),
            clock,
            draining: AtomicBool::new(false),
            told: Notify::new(),
            checks: RwLock::default(),
        }
    }

    /// From now on no new traffic is wanted.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    /// Returns once no new traffic is wanted.
    pub async fn draining(&self) {
        let mut told = pin!(self.told.notified());
        told.as_mut().enable();
        if !self.is_draining() {
            told.await;
        }
    }

    /// Whether no new traffic is wanted.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Notes what a dependency said.
    pub fn note(&self, dependency: &'static str, check: Check) {
        let mut checks = self.checks.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        checks.insert(dependency, check);
    }

    /// Whether everything that is needed answers.
    pub fn is_ready(&self) -> bool {
        let checks = self.checks.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        !checks.is_empty() && checks.values().all(|check| check.status != CheckStatus::Down)
    }

    /// Whether everything answers, also what is not needed.
    pub fn is_well(&self) -> bool {
        let checks = self.checks.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        checks.values().all(|check| check.status == CheckStatus::Ok)
    }

    /// 200 while the process may receive traffic, 503 while it drains.
    pub fn traffic(&self) -> Response {
        if self.is_draining() { word(false, "draining") } else { word(true, "ok") }
    }

    /// 200 while the process does its work: 503 only when a restart would mend it, which is when its
    /// worker stands still. What others lack, such as a database, is no reason.
    pub fn live(&self) -> Response {
        let checks = self.checks.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let stands = checks.get(WORKER).is_some_and(|check| check.status == CheckStatus::Down);
        if stands { word(false, "the worker stands still") } else { word(true, "ok") }
    }

    /// 200 while traffic is wanted and everything that is needed answers.
    pub fn ready(&self) -> Response {
        match (self.is_draining(), self.is_ready()) {
            (true, _) => word(false, "draining"),
            (false, true) => word(true, "ready"),
            (false, false) => word(false, "not ready"),
        }
    }

    /// What each dependency said when it was last asked.
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.checks.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// What the process does.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// When the process started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The word for how the process is: `ok`, `degraded`, `down` or `draining`.
    pub fn word(&self) -> &'static str {
        match (self.is_draining(), self.is_ready(), self.is_well()) {
            (true, _, _) => "draining",
            (false, false, _) => "down",
            (false, true, false) => "degraded",
            (false, true, true) => "ok",
        }
    }

    /// Everything that is known, for people.
    pub fn report(&self) -> Response {
        let checks = self.checks();
        let ready = self.is_ready() && !self.is_draining();
        let status = self.word();
        let report = Report {
            status,
            version: env!("CARGO_PKG_VERSION"),
            role: &self.role,
            uptime_s: self.clock.now().since(self.started_at).as_secs(),
            checks: &checks,
        };
        (code(ready), Json(report)).into_response()
    }
}

fn code(ok: bool) -> StatusCode {
    if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn word(ok: bool, status: &str) -> Response {
    (code(ok), Json(serde_json::json!({"status": status}))).into_response()
}

pub(crate) async fn traffic(State(app): State<App>) -> Response {
    app.health.traffic()
}

pub(crate) async fn live(State(app): State<App>) -> Response {
    app.health.live()
}

pub(crate) async fn ready(State(app): State<App>) -> Response {
    app.health.ready()
}

pub(crate) async fn report(State(app): State<App>) -> Response {
    app.health.report()
}

#[cfg(test)]
mod tests {
    use outrigger_kernel::SystemClock;

    use super::*;

    fn down() -> Check {
        Check { status: CheckStatus::Down, latency_ms: None, detail: None }
    }

    #[test]
    fn only_a_worker_that_stands_still_asks_for_a_restart() {
        let health = Health::new("worker", Arc::new(SystemClock));
        health.note("database", down());
        assert_eq!((health.live().status(), health.ready().status()), (code(true), code(false)));
        health.note(WORKER, down());
        assert_eq!(health.live().status(), code(false));
    }
}
