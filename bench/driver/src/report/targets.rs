//! What is aimed at, beside what was measured.

use std::fmt::Write;

use super::Report;
use super::markdown::short;
use crate::compare::Round;
use crate::peers::Which;
use crate::scenario::Scenario;

/// One aim.
struct Target {
    what: String,
    /// At least this, or at most.
    bound: f64,
    is_least: bool,
    ours: f64,
    /// What the floor reaches, where it is compared with another peer: nothing can do better here.
    floor: Option<f64>,
}

impl Target {
    fn least(what: impl Into<String>, bound: f64, ours: f64) -> Self {
        Self { what: what.into(), bound, is_least: true, ours, floor: None }
    }

    fn most(what: impl Into<String>, bound: f64, ours: f64) -> Self {
        Self { is_least: false, ..Self::least(what, bound, ours) }
    }

    fn is_reached(&self) -> bool {
        if self.is_least { self.ours >= self.bound } else { self.ours <= self.bound }
    }

    fn row(&self) -> String {
        let sign = if self.is_least { "≥" } else { "≤" };
        let floor = self.floor.map_or(String::new(), short);
        let reached = if self.is_reached() { "yes" } else { "no" };
        let (what, bound, ours) = (&self.what, short(self.bound), short(self.ours));
        format!("| {what} | {sign} {bound} | {ours} | {floor} | {reached} |\n")
    }
}

impl Report {
    /// The table of all targets whose figures were measured; empty when none was.
    pub(super) fn targets(&self) -> String {
        let mut targets = Vec::new();
        for scenario in Scenario::ALL {
            targets.extend(self.of_scenario(scenario));
        }
        targets.extend(self.of_size());
        targets.extend(self.of_tasks());
        for events in self.events.iter().flatten().filter(|events| events.place == "SQLite") {
            targets.push(Target::least(
                "events/s acknowledged and counted",
                5_000.0,
                events.counted,
            ));
        }
        targets.extend(self.of_idle());
        if targets.is_empty() {
            return String::new();
        }
        let mut text = String::from(
            "\n| target | aim | ours | the floor | reached |\n|---|---:|---:|---:|---|\n",
        );
        for target in targets {
            let _ = write!(text, "{}", target.row());
        }
        text
    }

    /// The ratio of one peer to another one.
    fn ratio(
        &self,
        scenario: Scenario,
        which: Which,
        other: Which,
        figure: fn(&Round) -> f64,
    ) -> Option<f64> {
        let find =
            |which| self.compared.iter().find(|it| it.scenario == scenario && it.which == which);
        Some(find(which)?.ratio(find(other)?, figure))
    }

    fn of_scenario(&self, scenario: Scenario) -> Vec<Target> {
        let name = scenario.name();
        let of_floor = match scenario {
            Scenario::Login => None,
            Scenario::Enqueue => Some(0.8),
            _ => Some(0.9),
        };
        let rate: fn(&Round) -> f64 = |round| round.rate;
        let cpu: fn(&Round) -> f64 = |round| round.cpu_ms;
        let mut targets = Vec::new();
        let to_floor = self.ratio(scenario, Which::Ours, Which::Floor, rate);
        if let (Some(bound), Some(ours)) = (of_floor, to_floor) {
            targets.push(Target::least(format!("{name}: requests, of the floor's"), bound, ours));
        }
        if matches!(scenario, Scenario::CachedRead | Scenario::AuthenticatedRead) {
            let to_fastapi = |which, figure| self.ratio(scenario, which, Which::Fastapi, figure);
            if let Some(ours) = to_fastapi(Which::Ours, rate) {
                let target = Target::least(format!("{name}: requests, of FastAPI's"), 15.0, ours);
                targets.push(Target { floor: to_fastapi(Which::Floor, rate), ..target });
            }
            if let Some(ours) = to_fastapi(Which::Ours, cpu) {
                let target = Target::most(format!("{name}: CPU, of FastAPI's"), 0.05, ours);
                targets.push(Target { floor: to_fastapi(Which::Floor, cpu), ..target });
            }
        }
        targets
    }

    fn of_size(&self) -> Option<Target> {
        let cost = |round: &Round| round.cpu_ms + round.servers_cpu_ms;
        let grown = self.scale.as_ref()?.iter();
        let worst = grown.map(|grown| cost(&grown.large) / cost(&grown.small)).fold(0.0, f64::max);
        Some(Target::most(
            "a page or a point read at 1,000,000 records, of the cost at 1,000",
            2.0,
            worst,
        ))
    }

    fn of_tasks(&self) -> Vec<Target> {
        let Some(tasks) = &self.tasks else { return Vec::new() };
        let mut targets = Vec::new();
        let least = [50_000.0_f64.min(tasks.stream_rate / 2.0), 3_000.0, 5_000.0];
        for (finished, bound) in tasks.finished.iter().zip(least) {
            let place = finished.place;
            targets.push(Target::least(format!("tasks/s in {place}"), bound, finished.rate));
        }
        let ours = tasks.finished.first().map_or(0.0, |finished| finished.rate);
        for other in &tasks.others {
            let what = format!("tasks/s in Redis, of {}'s", other.name);
            targets.push(Target::least(what, other.aim, ours / other.rate));
        }
        targets.push(Target::most("commands/s of an idle worker", 5.0, tasks.idle_commands));
        targets.push(Target::most("ms until a task starts", 5.0, tasks.start_ms));
        targets
    }

    fn of_idle(&self) -> Vec<Target> {
        let Some(idle) = &self.idle else { return Vec::new() };
        // The aim is in MB, of a million bytes.
        let megabytes = idle.memory_mib * 1.048_576;
        vec![
            Target::most("MB of the embedded server, idle", 30.0, megabytes),
            Target::most("ms until the first 200", 100.0, idle.first_ms_median),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_from_its_own_side() {
        assert!(Target::least("a", 0.9, 0.9).is_reached());
        assert!(!Target::least("a", 0.9, 0.89).is_reached());
        assert!(Target::most("a", 30.0, 29.0).is_reached());
        assert!(!Target::most("a", 30.0, 31.0).is_reached());
        let row = Target { floor: Some(9.74), ..Target::least("b", 15.0, 9.64) }.row();
        assert_eq!(row, "| b | ≥ 15 | 9.64 | 9.74 | no |\n");
    }
}
