//! Metrics as lines of CloudWatch's embedded metric format on standard output: CloudWatch makes metrics of
//! them when the platform brings them to its logs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use metrics::Unit;
use outrigger_kernel::{Clock as _, SystemClock, Timestamp};
use serde_json::{Map, Value, json};

use crate::exposition::Sample;
use crate::metric_list::{ALL, Kind, Metric};
use crate::readings::Readings;

const NAMESPACE: &str = "Outrigger";
/// Most metrics of one line.
const METRICS_MAX: usize = 100;
/// For how long an end waits for somebody to take the last lines.
const LAST: Duration = Duration::from_secs(1);
/// What each metric is of, before its labels.
const DEPLOYMENT: &str = "deployment";
/// Labels that are left out, as each value of one would be paid for as a metric of its own.
const LEFT_OUT: [&str; 2] = ["method", "route"];
/// Labels with which and without which a metric is told: of each queue and of all, of each status and of all.
const ADDED_UP: [&str; 2] = ["queue", "status"];
/// The kinds of tasks are as many as somebody makes.
const OF_TASKS: &str = "outrigger_task_";

/// Writes them, from a thread of its own: output that nobody takes stops nothing else.
pub(crate) struct Writer {
    /// Told or dropped, the thread writes once more and ends.
    end: Sender<()>,
    /// Says nothing until the thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    /// Writes them each `every` from now on.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(crate) fn start(
        readings: Readings,
        deployment: String,
        every: Duration,
    ) -> std::io::Result<Self> {
        let ((end, told), (ending, ended)) = (channel(), channel::<()>());
        let write = move || {
            let _ending = ending;
            let mut embedded = Embedded::new(deployment);
            let mut goes_on = true;
            while goes_on {
                goes_on = told.recv_timeout(every) == Err(RecvTimeoutError::Timeout);
                for line in embedded.lines(&readings.text(), SystemClock.now()) {
                    // Without standard output there is nobody to tell.
                    let _closed = writeln!(std::io::stdout(), "{line}");
                }
            }
        };
        std::thread::Builder::new().name("metrics".to_owned()).spawn(write)?;
        Ok(Self { end, ended })
    }

    /// Writes what has happened since the last lines, if somebody takes it soon.
    pub(crate) fn stop(self) {
        drop(self.end);
        let _ended_or_late = self.ended.recv_timeout(LAST);
    }
}

/// Labels and their values, without those that are left out.
type Dimensions = Vec<(String, String)>;

/// What is known of one metric with its dimensions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Level {
    /// A sum since the start, or a level of now.
    value: f64,
    /// Of a histogram: how many up to each bound, since the start.
    up_to: BTreeMap<u64, f64>,
    count: f64,
}

/// Makes the lines.
struct Embedded {
    deployment: String,
    before: BTreeMap<(Dimensions, &'static str), Level>,
}

impl Embedded {
    fn new(deployment: String) -> Self {
        Self { deployment, before: BTreeMap::new() }
    }

    /// The lines of what happened since the last call.
    fn lines(&mut self, text: &str, now: Timestamp) -> Vec<Value> {
        let levels = read(text);
        let mut told: BTreeMap<&Dimensions, Vec<(&'static Metric, Value)>> = BTreeMap::new();
        for ((dimensions, name), level) in &levels {
            let Some(metric) = ALL.iter().find(|metric| metric.name == *name) else { continue };
            let before = self.before.get(&(dimensions.clone(), *name));
            if let Some(value) = since(metric, level, before) {
                told.entry(dimensions).or_default().push((metric, value));
            }
        }
        let lines = told.iter().flat_map(|(dimensions, metrics)| {
            metrics.chunks(METRICS_MAX).map(|some| self.line(dimensions, some, now))
        });
        let lines = lines.collect();
        self.before = levels;
        lines
    }

    fn line(
        &self,
        dimensions: &Dimensions,
        metrics: &[(&'static Metric, Value)],
        now: Timestamp,
    ) -> Value {
        let mut line = Map::new();
        line.insert(DEPLOYMENT.to_owned(), json!(self.deployment));
        line.extend(dimensions.iter().map(|(name, value)| (name.clone(), json!(value))));
        let sets = sets(dimensions.iter().map(|(name, _)| &**name));
        line.extend(metrics.iter().map(|(metric, value)| (metric.name.to_owned(), value.clone())));
        let of_each = metrics
            .iter()
            .map(|(metric, _)| json!({"Name": metric.name, "Unit": unit(metric.unit)}));
        let metrics: Vec<Value> = of_each.collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics});
        let about = json!({"Timestamp": now.as_micros() / 1_000, "CloudWatchMetrics": [directive]});
        line.insert("_aws".to_owned(), about);
        Value::Object(line)
    }
}

/// The metrics of the list, with what was left out added up; of levels, the greatest.
fn read(text: &str) -> BTreeMap<(Dimensions, &'static str), Level> {
    let mut levels: BTreeMap<_, Level> = BTreeMap::new();
    for sample in Sample::all(text) {
        let Some((metric, part)) = metric(sample.name) else { continue };
        let level = levels.entry((dimensions(metric, &sample), metric.name)).or_default();
        match (metric.kind, part) {
            (Kind::Gauge, _) => level.value = level.value.max(sample.value),
            (Kind::Histogram, "_bucket") => {
                let bound = sample.label("le").parse().unwrap_or(f64::INFINITY);
                *level.up_to.entry(f64::to_bits(bound)).or_default() += sample.value;
            }
            (Kind::Histogram, "_count") => level.count += sample.value,
            _ => level.value += sample.value,
        }
    }
    levels
}

/// The metric of this name, and which part of a histogram it is.
fn metric(name: &str) -> Option<(&'static Metric, &str)> {
    ALL.iter().find_map(|metric| {
        let part = name.strip_prefix(metric.name)?;
        let is_one = match metric.kind {
            Kind::Histogram => ["_bucket", "_sum", "_count"].contains(&part),
            _ => part.is_empty(),
        };
        is_one.then_some((metric, part))
    })
}

/// In the order of the list: that of Prometheus' text is another in each process.
fn dimensions(metric: &Metric, sample: &Sample<'_>) -> Dimensions {
    let kept = kept(metric).map(|label| (label, sample.label(label)));
    kept.map(|(label, value)| match (label, value.get(..1)) {
        ("status", Some(class)) => (label.to_owned(), format!("{class}xx")),
        _ => (label.to_owned(), value.to_owned()),
    })
    .collect()
}

/// The labels that CloudWatch has it by.
fn kept(metric: &Metric) -> impl Iterator<Item = &'static str> {
    let is_of_tasks = metric.name.starts_with(OF_TASKS);
    let labels = metric.labels.iter().map(|(label, _)| *label);
    labels.filter(move |label| !(LEFT_OUT.contains(label) || is_of_tasks && *label == "kind"))
}

/// The sets of dimensions that a metric is told with.
pub(crate) fn dimension_sets(metric: &Metric) -> Vec<Vec<&'static str>> {
    sets(kept(metric))
}

/// Those of these labels: with all of them, and before it without those that are added up.
fn sets<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    let all: Vec<&str> = std::iter::once(DEPLOYMENT).chain(labels).collect();
    let without = all.iter().copied().filter(|label| !ADDED_UP.contains(label)).collect();
    if all == without { vec![all] } else { vec![without, all] }
}

/// What is told of it: of a level the level, of others what has come to it, if anything has.
fn since(metric: &Metric, level: &Level, before: Option<&Level>) -> Option<Value> {
    let none = Level::default();
    let before = before.unwrap_or(&none);
    match metric.kind {
        Kind::Gauge => Some(json!(level.value)),
        Kind::Counter => {
            let more = level.value - before.value;
            (more > 0.0).then(|| json!(more))
        }
        Kind::Histogram => histogram(level, before),
    }
}

/// How many values came into each class, as its upper bound; those above all bounds as twice the last.
fn histogram(level: &Level, before: &Level) -> Option<Value> {
    let count = level.count - before.count;
    if count <= 0.0 {
        return None;
    }
    let (mut values, mut counts) = (Vec::new(), Vec::new());
    let (mut below, mut last) = (0.0, 0.0);
    for (bound, up_to) in &level.up_to {
        let up_to = up_to - before.up_to.get(bound).copied().unwrap_or_default();
        let bound = f64::from_bits(*bound);
        let value = if bound.is_finite() { bound } else { 2.0 * last };
        if up_to > below {
            values.push(value);
            counts.push(up_to - below);
        }
        (below, last) = (up_to, value);
    }
    let sum = level.value - before.value;
    let (least, most) = (values.first().copied()?, values.last().copied()?);
    Some(json!({
        "Values": values, "Counts": counts, "Min": least, "Max": most, "Sum": sum, "Count": count,
    }))
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "Seconds",
        Unit::Bytes => "Bytes",
        _ => "Count",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"# TYPE outrigger_http_request_duration_seconds histogram
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="0.01"} 2
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="+Inf"} 3
outrigger_http_request_duration_seconds_sum{method="GET",route="/a",status="200"} 1.5
outrigger_http_request_duration_seconds_count{method="GET",route="/a",status="200"} 3
outrigger_http_request_duration_seconds_bucket{method="PUT",route="/b",status="201",le="0.01"} 1
outrigger_http_request_duration_seconds_bucket{method="PUT",route="/b",status="201",le="+Inf"} 1
outrigger_http_request_duration_seconds_sum{method="PUT",route="/b",status="201"} 0.5
outrigger_http_request_duration_seconds_count{method="PUT",route="/b",status="201"} 1
outrigger_authentication_total{action="login",outcome="ok"} 4
outrigger_queue_oldest_seconds{queue="default"} 3
outrigger_queue_oldest_seconds{queue="other"} 7
unknown_total 9
"#;

    fn of<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
        lines.iter().filter(|line| !line[name].is_null()).collect()
    }

    #[test]
    fn each_line_has_what_has_the_same_dimensions() {
        let mut embedded = Embedded::new("shop".to_owned());
        let lines = embedded.lines(FIRST, Timestamp::from_secs(1_700_000_000));
        let oldest = of(&lines, "outrigger_queue_oldest_seconds");
        assert_eq!(oldest.len(), 2);
        assert_eq!(
            oldest[1],
            &json!({
                "deployment": "shop",
                "queue": "other",
                "outrigger_queue_oldest_seconds": 7.0,
                "_aws": {
                    "Timestamp": 1_700_000_000_000_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Outrigger",
                        "Dimensions": [["deployment"], ["deployment", "queue"]],
                        "Metrics": [{"Name": "outrigger_queue_oldest_seconds", "Unit": "Seconds"}],
                    }],
                },
            })
        );
        let signed_in = of(&lines, "outrigger_authentication_total");
        assert_eq!(
            (&signed_in[0]["outcome"], &signed_in[0]["action"]),
            (&json!("ok"), &json!("login"))
        );
        assert!(of(&lines, "unknown_total").is_empty());
    }

    #[test]
    fn histograms_are_added_up_over_routes_and_told_once() {
        let mut embedded = Embedded::new("shop".to_owned());
        let name = "outrigger_http_request_duration_seconds";
        let lines = embedded.lines(FIRST, Timestamp::from_secs(0));
        let requests = of(&lines, name);
        assert_eq!((requests.len(), &requests[0]["status"]), (1, &json!("2xx")));
        let expected = json!({
            "Values": [0.01, 0.02], "Counts": [3.0, 1.0], "Min": 0.01, "Max": 0.02, "Sum": 2.0, "Count": 4.0,
        });
        assert_eq!(requests[0][name], expected);
        let later = embedded.lines(FIRST, Timestamp::from_secs(60));
        assert!(
            of(&later, name).is_empty() && of(&later, "outrigger_authentication_total").is_empty()
        );
        assert_eq!(
            of(&later, "outrigger_queue_oldest_seconds").len(),
            2,
            "a level is told each time"
        );
    }
}
