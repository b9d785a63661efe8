//! The pipeline: the schema of workflows, and zizmor's audit of what a stranger could do with them.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::containers::schema;
use crate::root::{at, root};
use crate::{cargo, tools};

const ZIZMOR: &str = include_str!("../../infra/zizmor.txt");

const FOLDER: &str = ".github/workflows";

/// The accounts, and from which environments of the pipeline their roles may be taken.
const TRUSTED: &str = "deploy/terraform/stacks/aws-bootstrap/environments";

/// Validates and audits every workflow.
///
/// # Errors
/// When a workflow does not fit the schema, is audited badly, uses an action by a name that can be moved, or
/// runs in an environment in which it can take no role.
pub(super) fn check() -> Result<()> {
    let entries = std::fs::read_dir(at(FOLDER)).context(FOLDER)?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(format!("{FOLDER}/{}", entry?.file_name().to_string_lossy()));
    }
    ensure!(!files.is_empty(), "{FOLDER} is empty");
    files.sort();
    let trusted = trusted()?;
    for file in &files {
        let text = std::fs::read_to_string(at(file))?;
        rules(&text).with_context(|| file.clone())?;
        for environment in environments(&text) {
            let is_trusted = trusted.contains(&format!("\"{environment}\""));
            ensure!(is_trusted, "{file}: no role in {TRUSTED} may be taken in `{environment}`");
        }
    }
    schema("vendor.github-workflows", &files.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut zizmor = Command::new(tools::python("zizmor", ZIZMOR)?);
    zizmor.args(["--offline", "--quiet"]).args(&files);
    cargo::pass(zizmor.current_dir(root()))
}

/// The values of all accounts, one after the other.
fn trusted() -> Result<String> {
    let mut text = String::new();
    for entry in std::fs::read_dir(at(TRUSTED)).context(TRUSTED)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tfvars") {
            text.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

/// The environments that a workflow names. Those that it computes, it computes from these.
fn environments(text: &str) -> impl Iterator<Item = &str> {
    let values = text.lines().filter_map(|line| line.trim().strip_prefix("environment: "));
    let names = values.flat_map(|value| value.trim_matches(['[', ']']).split(", "));
    names.filter(|name| !name.contains("${{"))
}

/// What holds for each of our workflows.
fn rules(text: &str) -> Result<()> {
    ensure!(text.contains("\npermissions: {}\n"), "has no `permissions: {{}}` of its own");
    for (number, line) in text.lines().enumerate() {
        let Some((_, action)) = line.split_once("uses: ") else { continue };
        let (reference, version) = action.split_once(" # ").unwrap_or((action, ""));
        let hash = reference.rsplit_once('@').map_or("", |(_, hash)| hash);
        let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_pinned = is_hash && version.starts_with('v');
        if !(is_pinned || reference.starts_with("./")) {
            bail!("line {}: {action} is not pinned by a commit with its version", number + 1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{environments, rules};

    #[test]
    fn environments_are_those_named() {
        let text = "on:\n  x:\n    environment:\njobs:\n  a:\n    environment: registry\n    strategy:\n      \
                    matrix:\n        environment: [dev, prod]\n    environment: plan-${{ matrix.environment }}\n";
        assert_eq!(environments(text).collect::<Vec<_>>(), ["registry", "dev", "prod"]);
    }

    #[test]
    fn actions_are_pinned_by_commits_with_their_versions() {
        let workflow =
            |action: &str| format!("on: push\npermissions: {{}}\njobs:\n  - uses: {action}\n");
        let hash = "de0fac2e4500dabe0009e67214ff5f5447ce83dd";
        assert!(rules(&workflow(&format!("actions/checkout@{hash} # v6.0.2"))).is_ok());
        assert!(rules(&workflow("./.github/workflows/build.yml")).is_ok());
        for wrong in
            ["actions/checkout@v6", &format!("actions/checkout@{hash}"), "actions/checkout"]
        {
            assert!(rules(&workflow(wrong)).is_err(), "{wrong}");
        }
        assert!(rules("on: push\n").is_err());
    }
}
