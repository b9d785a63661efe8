//! The results as the tables of the README.

use std::fmt::Write;

use super::Report;
use crate::compare::Round;
use crate::events::Taken;
use crate::peers::Which;
use crate::scale::Grown;
use crate::tasks::{Finished, Other, Tasks};
use crate::traces::Cost;

impl Report {
    /// The tables of the README.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "Measured on {}: {}. {} rounds of {} s, {} connections. {}\n",
            self.date,
            self.machine,
            self.rounds,
            self.round.as_secs(),
            self.connections,
            self.servers,
        );
        if !self.compared.is_empty() {
            text.push_str(&self.compared_table());
        }
        if let Some(grown) = &self.scale {
            text.push_str(&scale_table(grown));
        }
        if let Some(tasks) = &self.tasks {
            text.push_str(&tasks_table(tasks));
        }
        if let Some(events) = &self.events {
            text.push_str(&events_table(events));
        }
        if let Some(traces) = &self.traces {
            text.push_str(&traces_table(traces));
        }
        if let Some(idle) = &self.idle {
            let _ = write!(
                text,
                "\nThe embedded server, idle: {:.1} MiB resident; first 200 after {:.0} ms (best of ten; \
                 median {:.0} ms), in an empty folder, where it also makes the database and the signing \
                 key, after {:.0} ms (median {:.0} ms).\n",
                idle.memory_mib,
                idle.again_ms_best,
                idle.again_ms_median,
                idle.first_ms_best,
                idle.first_ms_median,
            );
        }
        text.push_str(&self.targets());
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
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {} | {} |",
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
            );
        }
        text
    }
}

fn scale_table(grown: &[Grown]) -> String {
    let mut text = String::from(
        "\n| store | request | requests/s at 1,000 | at 1,000,000 | CPU ms per 1,000, all processes, at 1,000 | at 1,000,000 | cost ratio |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for Grown { store, name, small, large } in grown {
        let cost = |round: &Round| round.cpu_ms + round.servers_cpu_ms;
        let _ = writeln!(
            text,
            "| {store} | {name} | {:.0} | {:.0} | {:.1} | {:.1} | {} |",
            small.rate,
            large.rate,
            cost(small),
            cost(large),
            short(cost(large) / cost(small)),
        );
    }
    text
}

fn events_table(events: &[Taken]) -> String {
    let mut text = String::from(
        "\n| events on | acknowledged, events/s | and counted, events/s | CPU ms per 1,000 | of PostgreSQL |\n\
         |---|---:|---:|---:|---:|\n",
    );
    for Taken { place, acknowledged, counted, cpu_ms, servers_cpu_ms } in events {
        let _ = writeln!(
            text,
            "| {place} | {acknowledged:.0} | {counted:.0} | {cpu_ms:.1} | {servers_cpu_ms:.1} |"
        );
    }
    text
}

fn traces_table(traces: &[Cost]) -> String {
    let mut text = String::from(
        "\n| scenario | traces | requests/s | CPU ms per 1,000 | requests: with / without | CPU: with / without |\n\
         |---|---|---:|---:|---:|---:|\n",
    );
    for Cost { scenario, sample, round, rate, cpu } in traces {
        let Round { rate: requests, cpu_ms, .. } = round;
        let _ = writeln!(
            text,
            "| {} | {sample} | {requests:.0} | {cpu_ms:.2} | {rate:.2} | {cpu:.2} |",
            scenario.name()
        );
    }
    text
}

fn tasks_table(tasks: &Tasks) -> String {
    let mut text = String::from(
        "\n| tasks in | finished by one worker, tasks/s | CPU ms per 1,000 of the worker | of PostgreSQL + Redis |\n\
         |---|---:|---:|---:|\n",
    );
    for Finished { place, tasks, rate, cpu_ms, servers_cpu_ms } in &tasks.finished {
        let _ = writeln!(
            text,
            "| {place}, {tasks} waiting | {rate:.0} | {cpu_ms:.1} | {servers_cpu_ms:.1} |"
        );
    }
    for Other { name, rate, cpu_ms, servers_cpu_ms, .. } in &tasks.others {
        let _ =
            writeln!(text, "| {name} on Redis | {rate:.0} | {cpu_ms:.1} | {servers_cpu_ms:.1} |");
    }
    let redis = tasks.finished.first().map_or(0.0, |finished| finished.rate);
    let _ = write!(
        text,
        "\nA bare Redis stream on the same server: {:.0} tasks/s (ours / it: {}). Without work: a worker \
         sends Redis {:.1} commands a second; a task starts after {:.1} ms (median).\n",
        tasks.stream_rate,
        short(redis / tasks.stream_rate),
        tasks.idle_commands,
        tasks.start_ms,
    );
    text
}

/// Two or three digits that count.
pub(super) fn short(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.3}")
    } else if ratio < 10.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.0}")
    }
}
