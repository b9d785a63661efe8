//! The names that stacks pass to the process are those of its settings, as its reference has them, and
//! production is given all that it refuses to start without.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::root::at;

const REFERENCE: &str = "docs/reference/config.md";

/// What each process of a deployment must be given.
const NEEDED: &[&str] = &["DATABASE_URL", "REDIS_URL", "OUTRIGGER_SECRET", "OUTRIGGER_PUBLIC_URL"];

/// The names that the process knows in its environment.
///
/// # Errors
/// When the reference cannot be read.
pub(super) fn known() -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(at(REFERENCE));
    let known = names(&text.with_context(|| format!("cannot read {REFERENCE}"))?);
    let knows_needed = NEEDED.iter().all(|name| known.contains(*name));
    ensure!(
        knows_needed,
        "{REFERENCE} has changed its form: it lacks one of {}",
        NEEDED.join(", ")
    );
    Ok(known)
}

/// The third column of the reference's tables.
fn names(reference: &str) -> BTreeSet<String> {
    let rows = reference.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(2));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// What is wrong with the output `environment` of a planned stack; nothing when it has none.
pub(super) fn unknown(plan: &Value, known: &BTreeSet<String>) -> Vec<String> {
    let tasks = plan["planned_values"]["outputs"]["environment"]["value"].as_object();
    // Some values are known only once they are made; their names stand apart.
    let changes = &plan["output_changes"]["environment"];
    let mut findings = Vec::new();
    let Some(tasks) = tasks.or_else(|| changes["after"].as_object()) else { return findings };
    for (task, given) in tasks {
        let later = &changes["after_unknown"][task];
        let parts = [&given["settings"], &given["secrets"], &later["settings"], &later["secrets"]];
        let names: BTreeSet<&str> =
            parts.iter().filter_map(|part| part.as_object()).flatten().map(|(n, _)| &**n).collect();
        let foreign = names.iter().filter(|name| !known.contains(**name));
        findings.extend(foreign.map(|name| format!("{task} is given {name}, which is no setting")));
        let absent = NEEDED.iter().filter(|name| !names.contains(**name));
        findings.extend(absent.map(|name| format!("{task} is not given {name}")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "\
| setting | default | in the environment | meaning |
|---|---|---|---|
| `a.b` | `1` | `A_B`, `OUTRIGGER__A__B` | See `C`. |
";

    #[test]
    fn names_are_those_of_the_environment() {
        let names = names(TABLE);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["A_B", "OUTRIGGER__A__B"]);
    }

    #[test]
    fn foreign_and_absent_names_are_found() {
        let known = NEEDED.iter().chain(&["PORT"]).map(|name| (*name).to_owned()).collect();
        let plan = json!({"output_changes": {"environment": {
            "after": {"api": {"settings": {"PORT": "1", "PROT": "1", "OUTRIGGER_PUBLIC_URL": "u"}}},
            "after_unknown": {"api": {"secrets": {"DATABASE_URL": true, "REDIS_URL": true}}},
        }}});
        assert_eq!(
            unknown(&plan, &known),
            ["api is given PROT, which is no setting", "api is not given OUTRIGGER_SECRET"]
        );
    }
}
