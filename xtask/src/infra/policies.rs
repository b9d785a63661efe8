//! checkov on manifests, the Dockerfile and the pipeline.

use std::process::Command;

use anyhow::{Context, Result};
use outrigger_testkit::TempDir;

use super::kubernetes;
use crate::root::root;
use crate::{cargo, tools};

const CHECKOV: &str = include_str!("../../infra/checkov.txt");

/// A check that is not made, and why.
pub(super) type Suppressed = (&'static str, &'static str);

const KUBERNETES: &[Suppressed] = &[
    (
        "CKV_K8S_15",
        "tags cannot be moved (the registry forbids it), so pulling again gives the same",
    ),
    (
        "CKV_K8S_35",
        "settings are environment variables, as on every other platform; nothing prints them",
    ),
    ("CKV_K8S_40", "the database images of the overlay `local` have users with low ids"),
    ("CKV_K8S_43", "a roll-out sets the digest; a manifest in the repository cannot know it"),
];

const DOCKERFILE: &[Suppressed] =
    &[("CKV_DOCKER_7", "the bases are arguments, whose defaults have a version and a digest")];

const WORKFLOWS: &[Suppressed] =
    &[("CKV_GHA_7", "deploy.yml is asked which image to roll out, and builds nothing")];

/// checkov on every rendered overlay.
///
/// # Errors
/// When it finds something.
pub(super) fn kubernetes() -> Result<()> {
    let folder = TempDir::new("policies")?;
    for rendered in kubernetes::render()? {
        rendered.write(&folder, true)?;
    }
    run("kubernetes", KUBERNETES, &["--directory", &folder.path().to_string_lossy()])
}

/// checkov on the Dockerfile.
///
/// # Errors
/// When it finds something.
pub(super) fn dockerfile() -> Result<()> {
    run("dockerfile", DOCKERFILE, &["--file", "deploy/docker/Dockerfile"])
}

/// checkov on the pipeline.
///
/// # Errors
/// When it finds something.
pub(super) fn workflows() -> Result<()> {
    run("github_actions", WORKFLOWS, &["--directory", ".github/workflows"])
}

/// checkov on something, without the network.
///
/// # Errors
/// When it finds something that is not suppressed.
pub(super) fn run(framework: &str, suppressed: &[Suppressed], what: &[&str]) -> Result<()> {
    let mut command = Command::new(tools::python("checkov", CHECKOV)?);
    command.args(["--framework", framework, "--compact", "--quiet", "--skip-download"]).args(what);
    for (check, _) in suppressed {
        command.args(["--skip-check", check]);
    }
    cargo::pass(command.current_dir(root())).with_context(|| format!("checkov on {framework}"))
}
