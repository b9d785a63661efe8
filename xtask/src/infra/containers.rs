//! The image's recipe and the compose files.

use std::process::Command;

use anyhow::Result;

use crate::root::root;
use crate::{cargo, tools};

const HADOLINT: &str = include_str!("../../infra/hadolint.txt");
const SCHEMAS: &str = include_str!("../../infra/check-jsonschema.txt");

/// hadolint on the Dockerfile; what it is told to overlook has its reason beside it.
///
/// # Errors
/// When it finds something.
pub(super) fn dockerfile() -> Result<()> {
    let mut command = Command::new(tools::python("hadolint", HADOLINT)?);
    command.args(["--no-color", "deploy/docker/Dockerfile"]);
    cargo::pass(command.current_dir(root()))
}

/// The compose files against the schema of the compose specification.
///
/// # Errors
/// When one does not fit.
pub(super) fn compose() -> Result<()> {
    schema("vendor.compose-spec", &["compose.yaml", "compose.full.yaml"])
}

/// Files against a schema that the tool brings along.
pub(super) fn schema(name: &str, files: &[&str]) -> Result<()> {
    let mut command = Command::new(tools::python("check-jsonschema", SCHEMAS)?);
    command.args(["--builtin-schema", name]).args(files);
    cargo::pass(command.current_dir(root()))
}
