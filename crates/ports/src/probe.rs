//! The health of one dependency, as `/api/health/`, readiness and `doctor` see it.

use serde::Serialize;
use std::time::Duration;

/// What a backend said of itself.
#[derive(Clone, Debug, Default)]
pub struct Probed {
    /// How long the answer took.
    pub latency: Duration,
    /// Product and version, such as `PostgreSQL 15.18`.
    pub version: String,
    /// Facts for a person: name and value, such as `max_connections`, `100`. No secrets.
    pub facts: Vec<(&'static str, String)>,
    /// What somebody should look at.
    pub findings: Vec<Finding>,
}

/// Something that `doctor` has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what was found and what to do about it.
    pub message: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Works, but could be better.
    Warning,
    /// Will not work, or not safely.
    Error,
}
