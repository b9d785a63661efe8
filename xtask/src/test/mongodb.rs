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
/// Set by who wants to go without the tests on the emulator, where it cannot be had.
const WITHOUT: &str = "OUTRIGGER_TEST_WITHOUT_MONGODB";
/// Brings a Python where the system has none that is new enough.
const UV: &str = "uv==0.13.9\n";

/// What of it is there.
#[derive(Debug)]
pub(super) struct MongoTests {
    /// Whether the tests on the emulator are left out, because somebody has said so.
    without_emulator: bool,
    /// Whether a real replica set was named.
    with_replica_set: bool,
    /// Whether its members may be killed.
    with_kill: bool,
}

impl MongoTests {
    /// Installs the emulator, unless it was said to go without, and looks for the URL.
    ///
    /// # Errors
    /// When the emulator cannot be had: what nobody has left out is not passed over.
    pub(super) fn prepare() -> Result<Self> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self::with(is_set, install)
    }

    fn with(is_set: impl Fn(&str) -> bool, install: impl Fn() -> Result<PathBuf>) -> Result<Self> {
        let without_emulator = is_set(WITHOUT);
        if !without_emulator {
            let remedy = "the tests on MongoDB need its emulator; to go without them, set";
            install().with_context(|| format!("{remedy} {WITHOUT}=1"))?;
        }
        let with_replica_set = is_set(URL);
        let with_kill = with_replica_set && is_set(KILL);
        Ok(Self { without_emulator, with_replica_set, with_kill })
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
        if self.without_emulator { vec!["--skip", "mongodb"] } else { Vec::new() }
    }

    /// What was not run, and why: a line each.
    pub(super) fn not_run(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.without_emulator {
            lines.push(format!("NOT RUN: tests on the emulator of MongoDB: {WITHOUT} is set"));
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
    // For a network that is slow.
    cargo::pass(command.env("UV_HTTP_TIMEOUT", "120"))?;
    let entries = std::fs::read_dir(&folder)?.flatten();
    let mut pythons = entries.map(|entry| entry.path().join("bin/python3"));
    pythons.find(|python| is_new_enough(python)).context("uv has installed another one")
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn prepared(set: &[&str], is_there: bool) -> Result<MongoTests> {
        let install = || if is_there { Ok(PathBuf::new()) } else { bail!("there is no Python") };
        MongoTests::with(|name| set.contains(&name), install)
    }

    #[test]
    fn without_its_emulator_nothing_is_run_unless_somebody_has_said_so() {
        let error = format!("{:#}", prepared(&[URL, KILL], false).unwrap_err());
        assert!(error.contains("there is no Python") && error.contains(WITHOUT), "{error}");
        // Nothing is looked for then.
        assert_eq!(prepared(&[WITHOUT], true).unwrap().tests(), ["--skip", "mongodb"]);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let nothing = prepared(&[WITHOUT], false).unwrap();
        assert_eq!(nothing.tests(), ["--skip", "mongodb"]);
        assert!(nothing.packages().is_empty());
        let said = nothing.not_run();
        assert!(said.len() == 2 && said.iter().all(|line| line.starts_with("NOT RUN: ")));
        assert!(said[0].contains(WITHOUT) && said[1].contains(URL), "{said:?}");

        let all = prepared(&[URL, KILL], true).unwrap();
        assert!(all.tests().is_empty() && all.not_run().is_empty());
        assert_eq!(all.packages(), ["--features", "outrigger-mongodb/replica-set-kill"]);
        let unkilled = prepared(&[URL], true).unwrap();
        assert!(unkilled.tests().is_empty() && unkilled.not_run()[0].contains(KILL));
    }
}
