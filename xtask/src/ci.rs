//! `cargo xtask ci`: everything that has to pass, quick steps first, each with its time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::out::{say, table};
use crate::{audit, cargo, generate, infra, room, test, tidy};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", || cargo::pass(&mut cargo::command(&["fmt", "--all", "--check"]))),
    ("tidy", tidy::run),
    ("audit", audit::run),
    ("lints", lints),
    ("gen --check", generate::check),
    ("rustdoc", rustdoc),
    ("infra", || infra::run(&[])),
    ("test", || test::run(&[])),
];

/// The crates whose documentation is for readers; the others are programs.
const DOCUMENTED: &[&str] = &[
    "outrigger-kernel",
    "outrigger-ports",
    "outrigger-domain",
    "outrigger-http",
    "outrigger",
    "outrigger-embedded",
    "outrigger-sql",
    "outrigger-dynamodb",
    "outrigger-objects",
    "outrigger-mongodb",
    "outrigger-redis",
    "outrigger-conformance",
    "outrigger-testkit",
];

/// Does every step, also after one has failed, and says how each ended.
///
/// # Errors
/// Names the steps that failed; before any, when there is too little room on the disk.
pub(crate) fn run() -> Result<()> {
    room::check()?;
    let mut rows = vec![["step", "result", "time"].map(str::to_owned).to_vec()];
    let mut failed = Vec::new();
    let start = Instant::now();
    for (name, step) in STEPS {
        say(&format!("== {name}"));
        let began = Instant::now();
        let result = step();
        if let Err(error) = &result {
            say(&format!("{name}: {error:#}"));
            failed.push(*name);
        }
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        rows.push(vec![(*name).to_owned(), word.to_owned(), time(began.elapsed())]);
    }
    rows.push(vec!["all".to_owned(), String::new(), time(start.elapsed())]);
    say(&table(&rows));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn lints() -> Result<()> {
    let mut command = cargo::command(&["clippy", "--workspace", "--all-targets"]);
    cargo::pass(command.args(cargo::FULL).args(["--", "-D", "warnings"]))
}

fn rustdoc() -> Result<()> {
    let mut command = cargo::command(&["doc", "--no-deps", "--lib"]);
    for package in DOCUMENTED {
        command.args(["--package", package]);
    }
    cargo::pass(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// A time for people.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds / 60 {
        0 => format!("{:.1} s", elapsed.as_secs_f64()),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(time(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 05 s");
    }
}
