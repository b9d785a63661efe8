//! What the metrics of this process say of all that it did, as a few numbers.

use outrigger_domain::replicas::{LATENCY_BOUNDS_S, Point};

use crate::exposition::Sample;

/// Sums since the start, and levels of now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    requests: f64,
    errors: f64,
    /// Requests up to each bound.
    up_to: [f64; LATENCY_BOUNDS_S.len()],
    cache_hits: f64,
    cache_misses: f64,
    connections_used: f64,
    connections: f64,
    queued: f64,
    dead: f64,
    oldest_s: f64,
    tasks_succeeded: f64,
    tasks_failed: f64,
    cpu_s: f64,
    memory_bytes: f64,
}

impl Counts {
    /// Reads what `/metrics` would show.
    pub(crate) fn read(text: &str) -> Self {
        let mut counts = Self::default();
        Sample::all(text).for_each(|sample| counts.add(&sample));
        counts
    }

    fn add(&mut self, sample: &Sample<'_>) {
        let value = sample.value;
        match sample.name {
            "outrigger_http_request_duration_seconds_count" => {
                self.requests += value;
                if sample.label("status").starts_with('5') {
                    self.errors += value;
                }
            }
            "outrigger_http_request_duration_seconds_bucket" => {
                let bound: f64 = sample.label("le").parse().unwrap_or(f64::INFINITY);
                let class = LATENCY_BOUNDS_S.iter().position(|known| *known >= bound);
                if let Some(sum) = class.and_then(|class| self.up_to.get_mut(class)) {
                    *sum += value;
                }
            }
            "outrigger_cache_requests_total" => match sample.label("outcome") {
                "hit" => self.cache_hits += value,
                _ => self.cache_misses += value,
            },
            "outrigger_database_connections" => {
                self.connections += value;
                if sample.label("state") == "used" {
                    self.connections_used += value;
                }
            }
            "outrigger_queue_tasks" => match sample.label("state") {
                "queued" => self.queued += value,
                "dead" => self.dead += value,
                _ => {}
            },
            "outrigger_queue_oldest_seconds" => self.oldest_s = self.oldest_s.max(value),
            "outrigger_task_duration_seconds_count" => match sample.label("outcome") {
                "succeeded" => self.tasks_succeeded += value,
                _ => self.tasks_failed += value,
            },
            "process_cpu_seconds_total" => self.cpu_s = value,
            "process_resident_memory_bytes" => self.memory_bytes = value,
            _ => {}
        }
    }

    /// What happened since `before`.
    pub(crate) fn since(&self, before: &Self, at: i64) -> Point {
        let up_to = self.up_to.iter().zip(before.up_to).map(|(now, before)| now - before);
        let mut durations = Vec::with_capacity(LATENCY_BOUNDS_S.len() + 1);
        let mut below = 0.0;
        for up_to in up_to.chain([self.requests - before.requests]) {
            durations.push(whole(up_to - below));
            below = up_to;
        }
        while durations.last() == Some(&0) {
            durations.pop();
        }
        Point {
            at,
            requests: whole(self.requests - before.requests),
            errors: whole(self.errors - before.errors),
            durations,
            cache_hits: whole(self.cache_hits - before.cache_hits),
            cache_misses: whole(self.cache_misses - before.cache_misses),
            connections_used: whole(self.connections_used),
            connections: whole(self.connections),
            queued: whole(self.queued),
            dead: whole(self.dead),
            oldest_s: whole(self.oldest_s),
            tasks_succeeded: whole(self.tasks_succeeded - before.tasks_succeeded),
            tasks_failed: whole(self.tasks_failed - before.tasks_failed),
            cpu_ms: whole((self.cpu_s - before.cpu_s) * 1_000.0),
            memory_bytes: whole(self.memory_bytes),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the bounds of the integer, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP outrigger_http_request_duration_seconds x
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="0.0005"} 2
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="0.001"} 5
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="10"} 6
outrigger_http_request_duration_seconds_bucket{method="GET",route="/a",status="200",le="+Inf"} 7
outrigger_http_request_duration_seconds_count{method="GET",route="/a",status="200"} 7
outrigger_http_request_duration_seconds_count{method="GET",route="/a",status="503"} 1
outrigger_cache_requests_total{outcome="hit"} 3
outrigger_cache_requests_total{outcome="bypass"} 1
outrigger_database_connections{kind="read",state="idle"} 3
outrigger_database_connections{kind="write",state="used"} 1
outrigger_queue_tasks{queue="default",state="queued"} 4
outrigger_queue_tasks{queue="other",state="dead"} 2
outrigger_queue_oldest_seconds{queue="default"} 12.4
outrigger_task_duration_seconds_count{kind="noop",outcome="succeeded"} 9
outrigger_task_duration_seconds_count{kind="noop",outcome="retry"} 1
process_cpu_seconds_total 1.5
process_resident_memory_bytes 1048576
"#;

    #[test]
    fn metrics_become_a_point() {
        let mut before = Counts { requests: 1.0, cpu_s: 1.0, ..Counts::default() };
        before.up_to[0] = 1.0;
        before.up_to[1] = 1.0;
        before.up_to[13] = 1.0;
        let point = Counts::read(TEXT).since(&before, 100);
        assert_eq!((point.at, point.requests, point.errors), (100, 7, 1));
        assert_eq!(point.durations[..2], [1, 3]);
        assert_eq!((point.cache_hits, point.cache_misses), (3, 1));
        assert_eq!((point.connections_used, point.connections), (1, 4));
        assert_eq!((point.queued, point.dead, point.oldest_s), (4, 2, 12));
        assert_eq!((point.tasks_succeeded, point.tasks_failed, point.cpu_ms), (9, 1, 500));
        assert_eq!(point.memory_bytes, 1 << 20);
    }

    #[test]
    fn what_is_no_metric_is_nothing() {
        let point = Counts::read("x\ny{a=\"b} z\n{} 1\n").since(&Counts::default(), 0);
        assert_eq!(point, Point::default());
    }
}
