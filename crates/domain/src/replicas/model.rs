//! What a process tells of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::Entity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one point of the charts is about, in seconds.
pub const POINT_S: u64 = 5;
/// How many points are kept: ten minutes.
pub(super) const POINTS: usize = 120;
/// A process that has not written for so long is taken for dead.
pub(super) const ALIVE_FOR: Duration = Duration::from_secs(30);
/// Upper bounds of the classes of durations of requests, in seconds; one more class is above them all.
pub const LATENCY_BOUNDS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A process, as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replica {
    /// Its own, for as long as it runs.
    pub name: String,
    /// The release that it runs.
    pub version: String,
    /// `api`, `worker`, `scheduler`, joined by `+`.
    pub role: String,
    /// The machine or container.
    pub host: String,
    /// Its id there.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When it wrote this.
    pub seen_at: Timestamp,
    /// `ok`, `degraded`, `down` or `draining`.
    pub status: String,
    /// How it finds what it needs, by name.
    pub backends: BTreeMap<String, Backend>,
    /// What it did, the oldest first.
    #[serde(default)]
    pub points: Vec<Point>,
}

/// How a process finds something that it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backend {
    /// `ok`, `degraded` (works without) or `down`.
    pub status: String,
    /// How long the last answer took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What is wrong, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a process did within [`POINT_S`] seconds. What is nothing is left out when it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// When these seconds began, in seconds since 1970; a multiple of [`POINT_S`].
    pub at: i64,
    /// Requests that were answered.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Of these, with a status from 500 on.
    #[serde(skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// How many requests fell into each class of durations; classes at the end may be left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub durations: Vec<u64>,
    /// Reads that the cache answered.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_hits: u64,
    /// Reads that it did not.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_misses: u64,
    /// Connections to the database that were in use.
    #[serde(skip_serializing_if = "is_zero")]
    pub connections_used: u64,
    /// Connections to the database.
    #[serde(skip_serializing_if = "is_zero")]
    pub connections: u64,
    /// Tasks that were due and waited, in the whole deployment.
    #[serde(skip_serializing_if = "is_zero")]
    pub queued: u64,
    /// Dead letters, in the whole deployment.
    #[serde(skip_serializing_if = "is_zero")]
    pub dead: u64,
    /// For how many seconds the oldest of those had waited.
    #[serde(skip_serializing_if = "is_zero")]
    pub oldest_s: u64,
    /// Attempts of tasks that ended well.
    #[serde(skip_serializing_if = "is_zero")]
    pub tasks_succeeded: u64,
    /// Attempts of tasks that ended otherwise.
    #[serde(skip_serializing_if = "is_zero")]
    pub tasks_failed: u64,
    /// CPU time, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_ms: u64,
    /// Resident memory at the end, in bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Entity for Replica {
    const COLLECTION: &'static str = "sys.replicas";
    const NAME: &'static str = "replica";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.seen_at.plus(ALIVE_FOR))
    }
}

/// A process that is alive.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Replica")]
pub struct ReplicaView {
    /// Its own, for as long as it runs.
    pub name: String,
    /// The release that it runs.
    pub version: String,
    /// `api`, `worker`, `scheduler`, joined by `+`.
    pub role: String,
    /// The machine or container.
    pub host: String,
    /// Its id there.
    pub pid: u32,
    /// When it started.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When it was last heard of.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub seen_at: Timestamp,
    /// `ok`, `degraded`, `down` or `draining`.
    pub status: String,
    /// How it finds what it needs, by name.
    pub backends: BTreeMap<String, Backend>,
    /// Whether it is the one that answers.
    pub answering: bool,
    /// Requests in a second, lately.
    pub requests_per_s: f64,
    /// Share of one core, lately.
    pub cpu: f64,
    /// Resident memory, in bytes.
    pub memory_bytes: u64,
}
