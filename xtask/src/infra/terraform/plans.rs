//! What each environment of each stack would make, as a plan, and what has to hold for all of it: it
//! can be planned, everything is tagged, what is protected is guarded, and the process is given only settings that it knows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use outrigger_testkit::TempDir;
use serde_json::Value;

use super::folders::{environments, name, stacks};
use super::real::{Real, init};
use super::{FOLDER, guard, recorded, settings};
use crate::cargo;
use crate::out::say;
use crate::root::at;

/// What everything carries.
const TAGS: &[&str] = &["Project", "Environment", "Stack", "ManagedBy"];

/// Plans every environment, on recorded schemas where these are, else with the real provider on an
/// emulator of AWS.
///
/// # Errors
/// When one cannot be planned, or what it would make breaks a rule; each finding stands on standard
/// output.
pub(in crate::infra) fn plans() -> Result<()> {
    let known = settings::known()?;
    let mut findings = Vec::new();
    if let Some(tool) = recorded::tool() {
        let terraform = |stack: &Path| recorded::terraform(&tool, stack);
        each(&at(FOLDER), &terraform, &known, &mut findings)?;
    } else {
        let real = Real::start()?;
        each(&real.root(), &|stack| real.terraform(stack), &known, &mut findings)?;
    }
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    Ok(())
}

fn each(
    root: &Path,
    terraform: &dyn Fn(&Path) -> Result<Command>,
    known: &BTreeSet<String>,
    findings: &mut Vec<String>,
) -> Result<()> {
    let folder = TempDir::new("plans")?;
    for stack in stacks(root)? {
        init(terraform(&stack)?)?;
        for environment in environments(&stack)? {
            let what = format!("{} {environment}", name(&stack));
            let plan = plan(&stack, &environment, terraform, &folder.join("plan"));
            let plan = plan.with_context(|| what.clone())?;
            let resources = resources(&plan);
            say(&format!("{what}: {} resources", resources.len()));
            findings.extend(untagged(&resources).map(|at| format!("{what}: {at} lacks tags")));
            findings.extend(guard::missing(&plan).map(|finding| format!("{what}: {finding}")));
            let found = settings::unknown(&plan, known);
            findings.extend(found.into_iter().map(|finding| format!("{what}: {finding}")));
        }
    }
    Ok(())
}

/// The plan of an environment, as JSON.
pub(super) fn plan(
    stack: &Path,
    environment: &str,
    terraform: &dyn Fn(&Path) -> Result<Command>,
    file: &Path,
) -> Result<Value> {
    let mut plan = terraform(stack)?;
    plan.args(["plan", "-input=false", "-no-color", "-lock=false"])
        .arg(format!("-var-file=environments/{environment}.tfvars"))
        .arg(format!("-out={}", file.display()));
    cargo::capture(&mut plan)?;
    let mut show = terraform(stack)?;
    let json = cargo::capture(show.args(["show", "-json", "-no-color"]).arg(file))?;
    // What goes before it is not of terraform.
    let start = json.find('{').context("terraform show wrote no JSON")?;
    serde_json::from_str(&json[start..]).context("terraform show has changed its form")
}

/// What the plan would make.
fn resources(plan: &Value) -> Vec<&Value> {
    let changes = plan["resource_changes"].as_array().into_iter().flatten();
    changes.filter(|change| change["mode"] == "managed").collect()
}

/// The addresses of what could have tags and lacks one.
fn untagged<'a>(resources: &'a [&Value]) -> impl Iterator<Item = &'a str> {
    let lacks = |resource: &Value| {
        let tags = &resource["change"]["after"]["tags_all"];
        !tags.is_null() && TAGS.iter().any(|tag| !tags[tag].is_string())
    };
    let found = resources.iter().filter(move |resource| lacks(resource));
    found.filter_map(|resource| resource["address"].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lacks_a_tag_is_named() {
        let change = |address: &str, tags: Value| json!({"mode": "managed", "address": address, "change": {"after": {"tags_all": tags}}});
        let all = json!({"Project": "p", "Environment": "e", "Stack": "s", "ManagedBy": "m"});
        let plan = json!({"resource_changes": [
            change("a.tagged", all), change("a.bare", json!({"Project": "p"})),
            change("a.cannot", Value::Null),
            {"mode": "data", "address": "d", "change": {"after": {"tags_all": {}}}},
        ]});
        let resources = resources(&plan);
        assert_eq!(resources.len(), 3);
        assert_eq!(untagged(&resources).collect::<Vec<_>>(), ["a.bare"]);
    }
}
