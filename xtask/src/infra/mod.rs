//! `cargo xtask infra`: what is deployed, checked without a cloud. Each check is one file here. All
//! run, also after one has failed; one that cannot run has failed.

mod containers;
mod kubernetes;
mod monitoring;
mod policies;
mod scripts;
mod terraform;
mod workflows;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::ci::time;
use crate::out::{say, table};

type Check = fn() -> Result<()>;

/// Every check, in its order, by the name under which it can be run alone.
const CHECKS: &[(&str, Check)] = &[
    ("terraform-format", terraform::format),
    ("terraform-sizes", terraform::sizes),
    ("terraform-tests", terraform::suites),
    ("terraform-plans", terraform::plans),
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
    let chosen = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut rows = vec![["check", "result", "time"].map(str::to_owned).to_vec()];
    let mut failed = Vec::new();
    for (name, check) in CHECKS.iter().filter(|(name, _)| chosen(name)) {
        say(&format!("== {name}"));
        let began = Instant::now();
        let result = check();
        if let Err(error) = &result {
            say(&format!("{name}: {error:#}"));
            failed.push(*name);
        }
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        rows.push(vec![(*name).to_owned(), word.to_owned(), time(began.elapsed())]);
    }
    say(&table(&rows));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
