//! Runs every suite and passes on what it says while counting.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::build::Build;
use super::mongodb::MongoTests;
use super::tally::Tally;
use crate::cargo;
use crate::out::say;
use crate::root::root;
use crate::scratch::{Scratch, setpriv};

/// How long the suites may be silent. The longest test, which moves 100,000 documents, says how far it
/// is; the others take less than two minutes, or many times as long on a slow machine that does other things.
const SILENT_MAX: Duration = Duration::from_secs(1_800);

/// Runs the suites to the end, also when one fails.
///
/// # Errors
/// When cargo cannot be run at all, or when nothing has been said for half an hour.
pub(super) fn run(
    build: &Build,
    scratch: &Scratch,
    mongo: &MongoTests,
    filters: &[String],
) -> Result<Tally> {
    let mut child = command(scratch, mongo, filters).spawn().context("cannot run cargo test")?;
    let lines = lines(child.stdout.take().context("cargo test has no output")?);
    let mut tally = Tally::new();
    loop {
        match lines.recv_timeout(SILENT_MAX) {
            Ok(line) => {
                tally.line(&line, |program| build.suite(program));
                say(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                bail!("no test has ended for {SILENT_MAX:?}; those that had ended stand above");
            }
        }
    }
    tally.ended_well(child.wait()?.success());
    Ok(tally)
}

/// What is written, line by line, until it ends or cannot be read.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            // Nobody reads on once the time is up.
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    receive
}

fn command(scratch: &Scratch, mongo: &MongoTests, filters: &[String]) -> Command {
    let mut cargo = cargo::command(&["test", "--workspace", "--no-fail-fast", "--color", "never"]);
    cargo.args(cargo::FULL).args(mongo.packages());
    if let Some(setpriv) = setpriv() {
        let setpriv = setpriv.to_string_lossy();
        // When cargo ends first, its test program must too.
        let runner = format!("[{setpriv:?}, \"--pdeathsig\", \"KILL\", \"--\"]");
        cargo.args(["--config", &format!("target.\"cfg(unix)\".runner={runner}")]);
    }
    let arguments = mongo.tests();
    if !filters.is_empty() || !arguments.is_empty() {
        cargo.arg("--").args(arguments).args(filters);
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
