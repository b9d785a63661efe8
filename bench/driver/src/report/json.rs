//! The results as JSON.

use serde_json::{Value, json};

use super::Report;
use crate::compare::Round;
use crate::events::Taken;
use crate::scale::Grown;
use crate::tasks::Tasks;
use crate::traces::Cost;

impl Report {
    pub(super) fn json(&self) -> Value {
        let compared: Vec<Value> = self
            .compared
            .iter()
            .map(|measured| {
                json!({
                    "scenario": measured.scenario.name(),
                    "peer": measured.which.name(),
                    "median": round_json(&Round::median(&measured.rounds)),
                    "rounds": measured.rounds.iter().map(round_json).collect::<Vec<_>>(),
                    "requests_ratio_of_ours_to_it": self.ours(measured.scenario)
                        .map(|ours| rounded(ours.ratio(measured, |round| round.rate))),
                    "cpu_ratio_of_ours_to_it": self.ours(measured.scenario)
                        .map(|ours| rounded(ours.ratio(measured, |round| round.cpu_ms))),
                })
            })
            .collect();
        let scale = self.scale.as_ref().map(|grown| {
            let one = |grown: &Grown| {
                json!({
                    "store": grown.store,
                    "request": grown.name,
                    "at_1000": round_json(&grown.small),
                    "at_1000000": round_json(&grown.large),
                })
            };
            grown.iter().map(one).collect::<Vec<_>>()
        });
        json!({
            "machine": self.machine,
            "date": self.date,
            "load_average_before": self.load_average_before,
            "servers": self.servers,
            "settings": {
                "round_s": self.round.as_secs(),
                "rounds": self.rounds,
                "connections": self.connections,
            },
            "compared": compared,
            "scale": scale,
            "tasks": self.tasks.as_ref().map(tasks_json),
            "events": self.events.as_ref().map(|events| {
                events.iter().map(events_json).collect::<Vec<_>>()
            }),
            "traces": self.traces.as_ref().map(|traces| {
                traces.iter().map(cost_json).collect::<Vec<_>>()
            }),
            "idle": self.idle.map(|idle| json!({
                "first_start_ms": {"best": rounded(idle.first_ms_best), "median": rounded(idle.first_ms_median)},
                "start_ms": {"best": rounded(idle.again_ms_best), "median": rounded(idle.again_ms_median)},
                "memory_mib": rounded(idle.memory_mib),
            })),
        })
    }
}

fn events_json(events: &Taken) -> Value {
    json!({
        "place": events.place,
        "acknowledged_per_s": rounded(events.acknowledged),
        "counted_per_s": rounded(events.counted),
        "cpu_ms_per_1000": rounded(events.cpu_ms),
        "servers_cpu_ms_per_1000": rounded(events.servers_cpu_ms),
    })
}

fn cost_json(cost: &Cost) -> Value {
    json!({
        "scenario": cost.scenario.name(),
        "sample": cost.sample,
        "requests_per_s": rounded(cost.round.rate),
        "cpu_ms_per_1000": rounded(cost.round.cpu_ms),
        "requests_of_those_without": rounded(cost.rate),
        "cpu_of_that_without": rounded(cost.cpu),
    })
}

fn tasks_json(tasks: &Tasks) -> Value {
    let finished = tasks.finished.iter().map(|finished| {
        json!({
            "place": finished.place,
            "tasks": finished.tasks,
            "tasks_per_s": rounded(finished.rate),
            "worker_cpu_ms_per_1000": rounded(finished.cpu_ms),
            "servers_cpu_ms_per_1000": rounded(finished.servers_cpu_ms),
        })
    });
    let others = tasks.others.iter().map(|other| {
        json!({
            "name": other.name,
            "tasks_per_s": rounded(other.rate),
            "worker_cpu_ms_per_1000": rounded(other.cpu_ms),
            "servers_cpu_ms_per_1000": rounded(other.servers_cpu_ms),
        })
    });
    json!({
        "finished": finished.collect::<Vec<_>>(),
        "others": others.collect::<Vec<_>>(),
        "bare_stream_tasks_per_s": rounded(tasks.stream_rate),
        "idle_redis_commands_per_s": rounded(tasks.idle_commands),
        "start_ms_median": rounded(tasks.start_ms),
    })
}

fn round_json(round: &Round) -> Value {
    json!({
        "requests_per_s": rounded(round.rate),
        "p50_us": rounded(round.p50_us),
        "p99_us": rounded(round.p99_us),
        "cpu_ms_per_1000": rounded(round.cpu_ms),
        "servers_cpu_ms_per_1000": rounded(round.servers_cpu_ms),
        "memory_mib": rounded(round.memory_mib),
    })
}

/// Four digits behind the point: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
