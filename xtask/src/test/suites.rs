//! Runs every suite and passes on what it says while counting.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::Build;
use super::tally::Tally;
use crate::cargo;
use crate::out::say;
use crate::scratch::Scratch;

/// Runs the suites to the end, also when one fails.
///
/// # Errors
/// When cargo cannot be run at all.
pub(super) fn run(build: &Build, scratch: &Scratch, filters: &[String]) -> Result<Tally> {
    let cargo = cargo::command(&["test", "--workspace", "--no-fail-fast", "--color", "never"]);
    // Cargo names the suites on one stream and they speak on the other: one pipe keeps the order.
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$@" 2>&1"#, "sh"]).arg(cargo.get_program());
    command.args(cargo.get_args());
    if !filters.is_empty() {
        command.arg("--").args(filters);
    }
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(crate::root::root()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = scratch.within(&mut command).spawn().context("cannot run cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut tally = Tally::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what cargo test says")?;
        let line = String::from_utf8_lossy(&line).into_owned();
        tally.line(&line, |program| build.suite(program));
        say(&line);
    }
    tally.ended_well(child.wait()?.success());
    Ok(tally)
}
