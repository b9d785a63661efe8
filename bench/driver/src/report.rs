//! The results: as JSON for machines, as Markdown for the README.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::args::Args;
use crate::compare::{Measured, Round};
use crate::idle::Idle;
use crate::machine;
use crate::peers::Which;
use crate::scale::Grown;
use crate::scenario::Scenario;

/// Everything that was measured.
pub(crate) struct Report {
    machine: String,
    date: String,
    load_average_before: f64,
    settings: Value,
    pub(crate) servers: String,
    pub(crate) compared: Vec<Measured>,
    pub(crate) scale: Option<Vec<Grown>>,
    pub(crate) idle: Option<Idle>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            machine: machine::describe(),
            date: machine::today(),
            load_average_before: machine::load_average(),
            settings: json!({
                "round_s": args.round.as_secs(),
                "rounds": args.rounds,
                "connections": args.connections,
            }),
            servers: String::new(),
            compared: Vec::new(),
            scale: None,
            idle: None,
        }
    }

    /// Writes `bench/results/latest.json`.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results").canonicalize();
        let path = folder.context("bench/results is missing")?.join("latest.json");
        let text = format!("{:#}\n", self.json());
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    fn json(&self) -> Value {
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
            "settings": self.settings,
            "compared": compared,
            "scale": scale,
            "idle": self.idle.map(|idle| json!({
                "first_start_ms": {"best": rounded(idle.first_ms_best), "median": rounded(idle.first_ms_median)},
                "start_ms": {"best": rounded(idle.again_ms_best), "median": rounded(idle.again_ms_median)},
                "memory_mib": rounded(idle.memory_mib),
            })),
        })
    }

    /// The tables of the README.
    pub(crate) fn markdown(&self) -> String {
        let settings = &self.settings;
        let mut text = format!(
            "Measured on {}: {}. {} rounds of {} s, {} connections. {}\n",
            self.date,
            self.machine,
            settings["rounds"],
            settings["round_s"],
            settings["connections"],
            self.servers,
        );
        if !self.compared.is_empty() {
            text.push_str(&self.compared_table());
        }
        if let Some(grown) = &self.scale {
            text.push_str(&scale_table(grown));
        }
        if let Some(idle) = &self.idle {
            text.push_str(&format!(
                "\nThe embedded server, idle: {:.1} MiB resident; first 200 after {:.0} ms (best of ten; \
                 median {:.0} ms), in an empty folder, where it also makes the database and the signing \
                 key, after {:.0} ms (median {:.0} ms).\n",
                idle.memory_mib,
                idle.again_ms_best,
                idle.again_ms_median,
                idle.first_ms_best,
                idle.first_ms_median,
            ));
        }
        text
    }

    fn compared_table(&self) -> String {
        let mut text = String::from(
            "\n| scenario | peer | requests/s | p50 ms | p99 ms | CPU ms per 1,000 | of PostgreSQL + Redis | MiB | requests: ours / it | CPU: ours / it |\n\
             |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for measured in &self.compared {
            let middle = Round::median(&measured.rounds);
            let ours = self.ours(measured.scenario).filter(|_| measured.which != Which::Ours);
            let ratio = |figure: fn(&Round) -> f64| {
                ours.map_or(String::new(), |ours| short(ours.ratio(measured, figure)))
            };
            text.push_str(&format!(
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {} | {} |\n",
                measured.scenario.name(),
                measured.which.name(),
                middle.rate,
                middle.p50_us / 1_000.0,
                middle.p99_us / 1_000.0,
                middle.cpu_ms,
                middle.servers_cpu_ms,
                middle.memory_mib,
                ratio(|round| round.rate),
                ratio(|round| round.cpu_ms),
            ));
        }
        text
    }

    fn ours(&self, scenario: Scenario) -> Option<&Measured> {
        let of = |measured: &&Measured| measured.scenario == scenario;
        self.compared.iter().filter(of).find(|measured| measured.which == Which::Ours)
    }
}

fn scale_table(grown: &[Grown]) -> String {
    let mut text = String::from(
        "\n| request | requests/s at 1,000 | at 1,000,000 | CPU ms per 1,000, all processes, at 1,000 | at 1,000,000 | cost ratio |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for Grown { name, small, large } in grown {
        let cost = |round: &Round| round.cpu_ms + round.servers_cpu_ms;
        text.push_str(&format!(
            "| {name} | {:.0} | {:.0} | {:.1} | {:.1} | {} |\n",
            small.rate,
            large.rate,
            cost(small),
            cost(large),
            short(cost(large) / cost(small)),
        ));
    }
    text
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

/// Two or three digits that count.
fn short(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.3}")
    } else if ratio < 10.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.0}")
    }
}
