//! The results: as JSON for machines, as Markdown for the README.

mod json;
mod markdown;
mod targets;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::args::Args;
use crate::compare::Measured;
use crate::events::Taken;
use crate::idle::Idle;
use crate::machine;
use crate::peers::Which;
use crate::scale::Grown;
use crate::scenario::Scenario;
use crate::tasks::Tasks;
use crate::traces::Cost;

/// Around the results in the README.
const BEGIN: &str = "<!-- results -->";
const END: &str = "<!-- /results -->";

/// Everything that was measured.
pub(crate) struct Report {
    machine: String,
    date: String,
    load_average_before: f64,
    round: Duration,
    rounds: usize,
    connections: usize,
    pub(crate) servers: String,
    pub(crate) compared: Vec<Measured>,
    pub(crate) scale: Option<Vec<Grown>>,
    pub(crate) tasks: Option<Tasks>,
    pub(crate) events: Option<Vec<Taken>>,
    pub(crate) traces: Option<Vec<Cost>>,
    pub(crate) idle: Option<Idle>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            machine: machine::describe(),
            date: machine::today(),
            load_average_before: machine::load_average(),
            round: args.round,
            rounds: args.rounds,
            connections: args.connections,
            servers: String::new(),
            compared: Vec::new(),
            scale: None,
            tasks: None,
            events: None,
            traces: None,
            idle: None,
        }
    }

    /// Writes `bench/results/latest.json`, and the tables into `bench/README.md`.
    ///
    /// # Errors
    /// Names the file that cannot be written.
    pub(crate) fn keep(&self) -> Result<()> {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        write(&bench.join("results/latest.json"), &format!("{:#}\n", self.json()))?;
        let readme = bench.join("README.md");
        let before = std::fs::read_to_string(&readme).context("bench/README.md")?;
        write(&readme, &with_results(&before, &self.markdown())?)
    }

    fn ours(&self, scenario: Scenario) -> Option<&Measured> {
        let of = |measured: &&Measured| measured.scenario == scenario;
        self.compared.iter().filter(of).find(|measured| measured.which == Which::Ours)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The text with other results between the two marks.
fn with_results(text: &str, results: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).context("bench/README.md has lost its mark")?;
    let (_, after) = rest.split_once(END).context("bench/README.md has lost its mark")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", results.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_replaced_and_nothing_else() {
        let text = "a\n<!-- results -->\nold\n<!-- /results -->\nb\n";
        let once = with_results(text, "new\n").unwrap();
        assert_eq!(once, "a\n<!-- results -->\nnew\n<!-- /results -->\nb\n");
        assert_eq!(with_results(&once, "new").unwrap(), once);
        assert!(with_results("a\nb\n", "new").is_err());
    }
}
