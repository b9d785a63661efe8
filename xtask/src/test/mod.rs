//! `cargo xtask test`: everything from what has to be installed to the proof that nothing is left.

mod build;
mod features;
mod mongodb;
mod programs;
mod suites;
mod tally;

use std::time::Instant;

use anyhow::{Result, bail};

use mongodb::MongoTests;

use crate::ci::time;
use crate::out::say;
use crate::schemathesis;
use crate::scratch::Scratch;

/// Installs what is missing, builds, runs the suites (those whose names contain a filter, if there
/// are filters), before them the tests of the binary without features, after them schemathesis, and
/// checks that nothing is left behind.
///
/// # Errors
/// Says what to install, what does not build, which tests failed, or what is left.
pub(crate) fn run(filters: &[String]) -> Result<()> {
    programs::require()?;
    let mongo = MongoTests::prepare()?;
    say(&programs::versions());
    let is_whole = filters.is_empty();
    let tool = is_whole.then(schemathesis::install).transpose()?;
    let without_features = is_whole.then(features::run);

    let built = Instant::now();
    let build = build::all(&mongo)?;
    say(&format!("built in {}", time(built.elapsed())));

    let scratch = Scratch::new()?;
    let began = Instant::now();
    let suites = suites::run(&build, &scratch, &mongo, filters)?;
    let fuzzed = tool.map(|tool| schemathesis::run(&tool, &build.program, &scratch));
    let clean = scratch.must_be_left_clean();

    say(&format!("\n{}", suites.table()));
    let mut failed = suites.failures();
    let others = [
        ("the binary without features", without_features),
        ("schemathesis", fuzzed),
        ("nothing left behind", Some(clean)),
    ];
    for (name, result) in others {
        match result {
            None => say(&format!("{name}: not run, because filters were given")),
            Some(Ok(())) => say(&format!("{name}: ok")),
            Some(Err(error)) => failed.push(format!("{name}: {error:#}")),
        }
    }
    for line in mongo.not_run() {
        say(&line);
    }
    say(&format!("tested in {}", time(began.elapsed())));
    if !failed.is_empty() {
        bail!("tests failed:\n  {}", failed.join("\n  "));
    }
    Ok(())
}
