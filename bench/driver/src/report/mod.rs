//! The results: as JSON for machines, as Markdown for the README.

mod json;
mod markdown;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::args::Args;
use crate::compare::Measured;
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
    round: Duration,
    rounds: usize,
    connections: usize,
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
            round: args.round,
            rounds: args.rounds,
            connections: args.connections,
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

    fn ours(&self, scenario: Scenario) -> Option<&Measured> {
        let of = |measured: &&Measured| measured.scenario == scenario;
        self.compared.iter().filter(of).find(|measured| measured.which == Which::Ours)
    }
}
