//! `cargo xtask tidy`: the rules of DESIGN and ARCHITECTURE that no compiler checks. Each rule is
//! one file here, with the cases in which it must speak up beside it.

mod blank;
mod changelog;
mod dead;
mod edges;
mod finding;
mod functions;
mod links;
mod lints;
mod map;
mod markdown;
mod mentions;
mod modules;
mod routes;
mod scan;
mod sizes;
mod tokens;
mod tree;
mod vendors;
mod words;

use anyhow::{Result, bail};

use crate::out::say;
use finding::Finding;
use tree::Tree;

type Check = fn(&Tree) -> Vec<Finding>;

/// Every rule, by the name under which the summary lists it.
const CHECKS: &[(&str, Check)] = &[
    ("crate edges", edges::check),
    ("vendors behind adapters", vendors::check),
    ("module order", modules::check),
    ("file sizes", sizes::check),
    ("function sizes", functions::check),
    ("dead files", dead::check),
    ("workspace lints", lints::check),
    ("words", words::check),
    ("crate map", map::check),
    ("links", links::check),
    ("mentioned files", mentions::check),
    ("routes", routes::check),
    ("changelog", changelog::check),
];

/// Runs every rule on the working tree.
///
/// # Errors
/// When a rule is broken: each finding stands on standard output.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|(_, check)| check(&tree)).collect();
    findings.sort();
    for finding in &findings {
        say(&finding.to_string());
    }
    let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    say(&format!(
        "tidy: {} files, median Rust file {} lines; looked at: {}",
        tree.files.len(),
        sizes::median(&tree),
        names.join(", ")
    ));
    if !findings.is_empty() {
        bail!("tidy has {} findings", findings.len());
    }
    Ok(())
}
