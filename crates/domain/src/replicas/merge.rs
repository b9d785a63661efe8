//! What several processes did, as one.

use std::collections::BTreeMap;

use outrigger_kernel::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::model::{LATENCY_BOUNDS_S, POINT_S, POINTS, Point, Replica};

/// What the deployment did in the last minutes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Overview {
    /// What each point is about, in seconds.
    pub interval_s: u64,
    /// The oldest first; the charts.
    pub points: Vec<OverviewPoint>,
    /// How many processes are in it.
    pub replicas: usize,
    /// Whether it is about all of them: the others tell of themselves through the database.
    pub complete: bool,
}

/// What all processes did within some seconds. What there is nothing to say of is null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OverviewPoint {
    /// When these seconds began, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Requests in a second.
    pub requests_per_s: f64,
    /// The share of requests that were answered with a status from 500 on.
    pub error_ratio: f64,
    /// Half of the requests took less, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 % of the requests took less.
    pub p95_ms: Option<f64>,
    /// 99 % of the requests took less.
    pub p99_ms: Option<f64>,
    /// The share of reads that the cache answered.
    pub cache_hit_ratio: Option<f64>,
    /// Connections to the database that were in use, and all of them; where there are such.
    pub connections_used: Option<u64>,
    /// All connections to the database.
    pub connections: Option<u64>,
    /// Tasks that were due and waited.
    pub queued: u64,
    /// For how many seconds the oldest of them had waited, in queues that are not paused.
    pub oldest_s: u64,
    /// Dead letters.
    pub dead: u64,
    /// Attempts of tasks in a second.
    pub tasks_per_s: f64,
    /// Of these, those that did not end well.
    pub tasks_failed_per_s: f64,
}

/// Adds up what these processes tell, of the time that all of them can tell of: some tell later than
/// others what they did last, and have forgotten by then what the others did first.
pub(super) fn merge(replicas: &[Replica], complete: bool) -> Overview {
    let all = || replicas.iter().map(|replica| &replica.points);
    let forgetful = all().filter(|points| points.len() >= POINTS);
    let from = forgetful.filter_map(|points| points.first()).map(|first| first.at).max();
    let to = all().filter_map(|points| points.last()).map(|last| last.at).min();
    let known = from.unwrap_or(i64::MIN)..=to.unwrap_or(i64::MAX);
    let mut sums: BTreeMap<i64, Point> = BTreeMap::new();
    for point in all().flatten().filter(|point| known.contains(&point.at)) {
        add(sums.entry(point.at).or_default(), point);
    }
    let points = sums.into_iter().map(|(at, point)| view(at, &point)).collect();
    Overview { interval_s: POINT_S, points, replicas: replicas.len(), complete }
}

fn add(sum: &mut Point, point: &Point) {
    sum.requests += point.requests;
    sum.errors += point.errors;
    let classes = sum.durations.len().max(point.durations.len());
    sum.durations.resize(classes, 0);
    for (sum, count) in sum.durations.iter_mut().zip(&point.durations) {
        *sum += count;
    }
    sum.cache_hits += point.cache_hits;
    sum.cache_misses += point.cache_misses;
    sum.connections_used += point.connections_used;
    sum.connections += point.connections;
    sum.tasks_succeeded += point.tasks_succeeded;
    sum.tasks_failed += point.tasks_failed;
    // Everybody tells the same of the queues.
    sum.queued = sum.queued.max(point.queued);
    sum.dead = sum.dead.max(point.dead);
    sum.oldest_s = sum.oldest_s.max(point.oldest_s);
}

fn view(at: i64, point: &Point) -> OverviewPoint {
    let has_pool = point.connections > 0;
    OverviewPoint {
        at: Timestamp::from_secs(at),
        requests_per_s: per_second(point.requests),
        error_ratio: ratio(point.errors, point.requests).unwrap_or(0.0),
        p50_ms: percentile_ms(&point.durations, 0.5),
        p95_ms: percentile_ms(&point.durations, 0.95),
        p99_ms: percentile_ms(&point.durations, 0.99),
        cache_hit_ratio: ratio(point.cache_hits, point.cache_hits + point.cache_misses),
        connections_used: has_pool.then_some(point.connections_used),
        connections: has_pool.then_some(point.connections),
        queued: point.queued,
        oldest_s: point.oldest_s,
        dead: point.dead,
        tasks_per_s: per_second(point.tasks_succeeded + point.tasks_failed),
        tasks_failed_per_s: per_second(point.tasks_failed),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds are far below 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// How many in a second.
pub(super) fn per_second(count: u64) -> f64 {
    float(count) / float(POINT_S)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

/// The duration that this share of requests stayed below, as near as the classes tell: within a class,
/// requests are taken to be spread evenly; above the last bound it is that bound.
pub(super) fn percentile_ms(durations: &[u64], share: f64) -> Option<f64> {
    let all: u64 = durations.iter().sum();
    if all == 0 {
        return None;
    }
    let wanted = share * float(all);
    let mut below = 0.0;
    for (class, count) in durations.iter().enumerate() {
        let count = float(*count);
        if below + count >= wanted && count > 0.0 {
            let lower =
                class.checked_sub(1).and_then(|class| LATENCY_BOUNDS_S.get(class)).unwrap_or(&0.0);
            let upper = LATENCY_BOUNDS_S.get(class).unwrap_or(lower);
            return Some((lower + (upper - lower) * (wanted - below) / count) * 1_000.0);
        }
        below += count;
    }
    LATENCY_BOUNDS_S.last().map(|bound| bound * 1_000.0)
}
