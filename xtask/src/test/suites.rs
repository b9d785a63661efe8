//! Runs every suite and passes on what it says while counting.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::build::Build;
use super::tally::Tally;
use crate::cargo;
use crate::out::say;
use crate::root::root;
use crate::scratch::{Scratch, setpriv};

/// Runs the suites to the end, also when one fails.
///
/// # Errors
/// When cargo cannot be run at all.
pub(super) fn run(build: &Build, scratch: &Scratch, filters: &[String]) -> Result<Tally> {
    let mut child = command(scratch, filters).spawn().context("cannot run cargo test")?;
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

fn command(scratch: &Scratch, filters: &[String]) -> Command {
    let mut cargo = cargo::command(&["test", "--workspace", "--no-fail-fast", "--color", "never"]);
    if let Some(setpriv) = setpriv() {
        let setpriv = setpriv.to_string_lossy();
        // When cargo ends first, its test program must too.
        let runner = format!("[{setpriv:?}, \"--pdeathsig\", \"KILL\", \"--\"]");
        cargo.args(["--config", &format!("target.\"cfg(unix)\".runner={runner}")]);
    }
    if !filters.is_empty() {
        cargo.arg("--").args(filters);
    }
    // Cargo names the suites on one stream and they speak on the other: one pipe keeps the order.
    let mut command = scratch.command("sh", "TERM");
    command.args(["-c", r#"exec "$@" 2>&1"#, "sh"]).arg(cargo.get_program());
    command.args(cargo.get_args());
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}
