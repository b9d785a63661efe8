//! One frame as text.

use outrigger_domain::replicas::{Fleet, Overview, OverviewPoint, ReplicaView};
use outrigger_kernel::Timestamp;
use outrigger_ports::queue::QueueState;

use crate::cli::table::table;

/// Heights of a line that is drawn with letters.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// So many points are drawn, the latest ones.
const DRAWN: usize = 48;

/// What was seen at one instant; what could not be had is why.
pub(super) struct Seen {
    pub(super) now: Timestamp,
    pub(super) overview: Result<Overview, String>,
    pub(super) fleet: Result<Fleet, String>,
    pub(super) queues: Result<Vec<QueueState>, String>,
}

/// A row: a name, how it is read, how it is written.
type Row = (&'static str, fn(&OverviewPoint) -> Option<f64>, fn(f64) -> String);

const ROWS: &[Row] = &[
    ("requests/s", |p| Some(p.requests_per_s), number),
    ("latency p50", |p| p.p50_ms, millis),
    ("latency p95", |p| p.p95_ms, millis),
    ("latency p99", |p| p.p99_ms, millis),
    ("errors", |p| Some(p.error_ratio), percent),
    ("cache hits", |p| p.cache_hit_ratio, percent),
    ("connections used", |p| p.connections_used.map(float), number),
    ("tasks waiting", |p| Some(float(p.queued)), number),
    ("oldest task", |p| Some(float(p.oldest_s)), |s| seconds(whole(s))),
    ("dead letters", |p| Some(float(p.dead)), number),
    ("tasks/s", |p| Some(p.tasks_per_s), number),
    ("tasks failed/s", |p| Some(p.tasks_failed_per_s), number),
];

/// The frame.
pub(super) fn draw(seen: &Seen) -> String {
    let parts = [
        format!("outrigger {}  {}", env!("CARGO_PKG_VERSION"), seen.now),
        section(&seen.overview, "figures", overview),
        section(&seen.fleet, "replicas", |fleet| replicas(fleet, seen.now)),
        section(&seen.queues, "queues", |states| queues(states, seen.now)),
    ];
    parts.join("\n\n") + "\n"
}

/// What is away is said to be, and the rest is there.
fn section<T>(seen: &Result<T, String>, name: &str, draw: impl FnOnce(&T) -> String) -> String {
    match seen {
        Ok(seen) => draw(seen),
        Err(error) => format!("{name}: {error}"),
    }
}

fn overview(overview: &Overview) -> String {
    if overview.points.is_empty() {
        return "no figures yet".to_owned();
    }
    let points = &overview.points[overview.points.len().saturating_sub(DRAWN)..];
    let row = |(name, read, write): &Row| {
        let values: Vec<Option<f64>> = points.iter().map(read).collect();
        let last = values.last().copied().flatten().map_or("-".to_owned(), write);
        vec![(*name).to_owned(), format!("{last:>9}"), line(&values)]
    };
    table(&ROWS.iter().map(row).collect::<Vec<_>>())
}

fn replicas(fleet: &Fleet, now: Timestamp) -> String {
    let head = ["replica", "role", "release", "state", "requests/s", "cpu", "memory", "up"];
    let row = |it: &ReplicaView| {
        let mebibytes = float(it.memory_bytes) / 1_048_576.0;
        vec![
            it.name.clone(),
            it.role.clone(),
            it.version.clone(),
            it.status.clone(),
            number(it.requests_per_s),
            percent(it.cpu),
            format!("{mebibytes:.0} MiB"),
            seconds(now.since(it.started_at).as_secs()),
        ]
    };
    let rows = std::iter::once(head.map(str::to_owned).to_vec());
    let rows: Vec<_> = rows.chain(fleet.replicas.iter().map(row)).collect();
    match rows.len() {
        1 => "no process is alive".to_owned(),
        _ => table(&rows),
    }
}

fn queues(states: &[QueueState], now: Timestamp) -> String {
    let head = ["queue", "waiting", "running", "later", "dead", "oldest", ""];
    let row = |it: &QueueState| {
        let oldest = it.oldest.map_or("-".to_owned(), |since| seconds(now.since(since).as_secs()));
        let paused = if it.paused { "paused" } else { "" };
        let counts = [it.queued, it.running, it.scheduled, it.dead].map(|count| count.to_string());
        let [queued, running, scheduled, dead] = counts;
        vec![it.name.clone(), queued, running, scheduled, dead, oldest, paused.to_owned()]
    };
    let rows = std::iter::once(head.map(str::to_owned).to_vec());
    table(&rows.chain(states.iter().map(row)).collect::<Vec<_>>())
}

/// Values over time: the highest one is as high as a line of text.
fn line(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(_) if most <= 0.0 => BARS[0],
        Some(value) => {
            let step = whole((value / most * 7.0).round());
            usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or(BARS[7])
        }
    };
    values.iter().map(bar).collect()
}

fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn millis(ms: f64) -> String {
    if ms >= 1_000.0 { format!("{:.1} s", ms / 1_000.0) } else { format!("{ms:.1} ms") }
}

fn seconds(count: u64) -> String {
    match count {
        0..60 => format!("{count} s"),
        60..3_600 => format!("{} min", count / 60),
        3_600..86_400 => format!("{} h", count / 3_600),
        _ => format!("{} d", count / 86_400),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the bounds of the integer, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_high_as_its_highest_value_and_has_gaps() {
        assert_eq!(line(&[Some(0.0), None, Some(3.5), Some(7.0)]), "▁ ▅█");
        assert_eq!(line(&[Some(0.0), Some(0.0)]), "▁▁");
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn what_is_away_is_said_and_the_rest_is_there() {
        let away = || "the database is not available".to_owned();
        let now = Timestamp::from_secs(1_800_000_000);
        let queue = QueueState {
            name: "default".to_owned(),
            paused: true,
            queued: 3,
            scheduled: 0,
            running: 0,
            dead: 0,
            oldest: None,
        };
        let seen = Seen { now, overview: Err(away()), fleet: Err(away()), queues: Ok(vec![queue]) };
        let text = draw(&seen);
        assert!(text.contains("figures: the database is not available"), "{text}");
        assert!(text.contains("default") && text.contains("paused"), "{text}");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([number(7.0), number(7.25), number(1234.5)], ["7", "7.2", "1234"]);
        assert_eq!([seconds(59), seconds(61), seconds(7_300)], ["59 s", "1 min", "2 h"]);
        assert_eq!([millis(0.35), millis(1_500.0)], ["0.3 ms", "1.5 s"]);
        assert_eq!(percent(0.125), "12.5 %");
    }
}
