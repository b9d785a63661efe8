//! What tests on MongoDB need: its emulator, which needs a newer Python than many systems have; and a
//! real replica set, which only who runs them can give.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use outrigger_testkit::{MongoDb, find_program};

use crate::{cargo, tools};

/// The URL of a real replica set, for whose tests there must be one.
pub(super) const URL: &str = "OUTRIGGER_TEST_MONGODB_URL";
/// A command that kills the member of it that it is given, and starts it again.
const KILL: &str = "OUTRIGGER_TEST_MONGODB_KILL";
/// The oldest Python that the emulator runs on.
const PYTHON: &str = "3.13";
/// Brings a Python where the system has none that is new enough.
const UV: &str = "uv==0.13.9\n";

/// What of it is there.
#[derive(Debug)]
pub(super) struct MongoTests {
    /// Why the emulator is not there, if it is not.
    pub(super) without_emulator: Option<String>,
    /// Whether a real replica set was named.
    pub(super) with_replica_set: bool,
    /// Whether its members may be killed.
    pub(super) with_kill: bool,
}

impl MongoTests {
    /// Installs the emulator, if a Python for it can be had, and looks for the URL.
    pub(super) fn prepare() -> Self {
        let emulator = install();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            without_emulator: emulator.err().map(|error| format!("{error:#}")),
            with_replica_set: is_set(URL),
            with_kill: is_set(URL) && is_set(KILL),
        }
    }

    /// What cargo is told about the packages.
    pub(super) fn packages(&self) -> Vec<&'static str> {
        match (self.with_replica_set, self.with_kill) {
            (_, true) => vec!["--features", "outrigger-mongodb/replica-set-kill"],
            (true, false) => vec!["--features", "outrigger-mongodb/replica-set"],
            (false, false) => Vec::new(),
        }
    }

    /// What the test programs are told: names of tests say what they need.
    pub(super) fn tests(&self) -> Vec<&'static str> {
        match self.without_emulator {
            Some(_) => vec!["--skip", "mongodb"],
            None => Vec::new(),
        }
    }

    /// What was not run, and why: a line each.
    pub(super) fn not_run(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(why) = &self.without_emulator {
            lines.push(format!("NOT RUN: tests on the emulator of MongoDB: {why}"));
        }
        if !self.with_replica_set {
            lines
                .push(format!("NOT RUN: tests on a real replica set of MongoDB: {URL} is not set"));
        } else if !self.with_kill {
            lines.push(format!("NOT RUN: killing members of the replica set: {KILL} is not set"));
        }
        lines
    }
}

fn install() -> Result<PathBuf> {
    let python = match found() {
        Some(python) => python,
        None => from_uv().with_context(|| format!("there is no Python {PYTHON} or newer"))?,
    };
    tools::python_with(&python, "mongoeco", "python", MongoDb::REQUIREMENTS)?;
    MongoDb::python()
}

/// One that is there: on the path, or where version managers and machines of CI keep theirs.
fn found() -> Option<PathBuf> {
    let names = ["python3.14", "python3.13", "python3"].map(|name| find_program(&[name], &[]));
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let folders = [home.join(".pyenv/versions"), PathBuf::from("/opt/hostedtoolcache/Python")];
    let kept = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let kept = kept.flatten().flat_map(|entry| {
        ["bin/python3", "x64/bin/python3"].map(|program| Some(entry.path().join(program)))
    });
    names.into_iter().chain(kept).flatten().find(|python| is_new_enough(python))
}

fn is_new_enough(python: &Path) -> bool {
    let (major, minor) = PYTHON.split_once('.').unwrap_or_default();
    let code = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let asked = Command::new(python).args(["-c", &code]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Downloads one.
fn from_uv() -> Result<PathBuf> {
    let uv = tools::python("uv", UV)?;
    let folder = tools::cache()?.join("python");
    let mut command = Command::new(&uv);
    command.args(["python", "install", PYTHON, "--no-bin", "--install-dir"]).arg(&folder);
    cargo::pass(&mut command)?;
    let entries = std::fs::read_dir(&folder)?.flatten();
    let mut pythons = entries.map(|entry| entry.path().join("bin/python3"));
    pythons.find(|python| is_new_enough(python)).context("uv has installed another one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_left_out_and_said() {
        let nothing = MongoTests {
            without_emulator: Some("there is no Python".to_owned()),
            with_replica_set: false,
            with_kill: false,
        };
        assert_eq!(nothing.tests(), ["--skip", "mongodb"]);
        assert!(nothing.packages().is_empty());
        let said = nothing.not_run();
        assert!(said.len() == 2 && said.iter().all(|line| line.starts_with("NOT RUN: ")));
        assert!(said[0].contains("there is no Python") && said[1].contains(URL), "{said:?}");

        let all = MongoTests { without_emulator: None, with_replica_set: true, with_kill: true };
        assert!(all.tests().is_empty() && all.not_run().is_empty());
        assert_eq!(all.packages(), ["--features", "outrigger-mongodb/replica-set-kill"]);
        let unkilled = MongoTests { with_kill: false, ..all };
        assert!(unkilled.not_run()[0].contains(KILL));
    }
}
