//! `cargo xtask infra`: what is deployed, checked without a cloud. Each check is one file here. All
//! run, also after one has failed; one that cannot run has failed.

mod containers;
mod kubernetes;
mod monitoring;
mod policies;
mod scripts;
mod terraform;
mod workflows;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::ci::time;
use crate::out::{say, table};

type Check = fn() -> Result<()>;

/// Every check, in its order, by the name under which it can be run alone.
const CHECKS: &[(&str, Check)] = &[
    ("terraform-format", terraform::format),
    ("terraform-sizes", terraform::sizes),
    ("terraform-tests", terraform::suites),
    ("terraform-plans", terraform::plans),
    ("terraform-guard", terraform::guard),
    ("terraform-policies", terraform::policies),
    ("terraform-apply", terraform::apply),
    ("kubernetes", kubernetes::check),
    ("kubernetes-policies", policies::kubernetes),
    ("dockerfile", containers::dockerfile),
    ("dockerfile-policies", policies::dockerfile),
    ("compose", containers::compose),
    ("monitoring", monitoring::check),
    ("scripts", scripts::check),
    ("workflows", workflows::check),
    ("workflows-policies", policies::workflows),
];

/// Waits for its emulators more than it computes, and takes longest: it runs beside the others.
const BESIDE: &str = "terraform-apply";

/// Runs every check, or those named.
///
/// # Errors
/// Names the checks that failed; a name that is none.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !CHECKS.iter().any(|(known, _)| known == name))
    {
        let known: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        bail!("infra has no check {unknown}; it has: {}", known.join(", "));
    }
    let is_chosen = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let chosen = CHECKS.iter().copied().filter(|(name, _)| is_chosen(name));
    let (beside, others): (Vec<_>, Vec<_>) = chosen.partition(|(name, _)| *name == BESIDE);
    let results = std::thread::scope(|scope| {
        let running: Vec<_> = beside
            .into_iter()
            .map(|(name, check)| (name, scope.spawn(move || timed(check))))
            .collect();
        let mut results = Vec::new();
        for (name, check) in others {
            say(&format!("== {name}"));
            let (result, took) = timed(check);
            results.push((name, result, took));
        }
        for (name, run) in running {
            let panicked = || (Err(anyhow!("it panicked")), Duration::ZERO);
            let (result, took) = run.join().unwrap_or_else(|_| panicked());
            results.push((name, result, took));
        }
        results
    });
    let mut rows = vec![["check", "result", "time"].map(str::to_owned).to_vec()];
    let mut failed = Vec::new();
    for (name, result, took) in results {
        if let Err(error) = &result {
            say(&format!("{name}: {error:#}"));
            failed.push(name);
        }
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        rows.push(vec![name.to_owned(), word.to_owned(), time(took)]);
    }
    say(&table(&rows));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// What a check says, and how long it took.
fn timed(check: Check) -> (Result<()>, Duration) {
    let began = Instant::now();
    (check(), began.elapsed())
}
