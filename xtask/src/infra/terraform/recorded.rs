//! Terraform with recorded schemas of the providers, where they are kept beside the repository: no
//! network, no account, every plan and apply in seconds.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program;
use crate::root::at;
use anyhow::Result;

/// The tool beside the repository, where it is.
pub(super) fn tool() -> Option<PathBuf> {
    let path = at("../shared/tfoffline/tfoffline");
    path.exists().then_some(path)
}

/// Format, init, validation and tests of everything below a folder.
pub(super) fn check(tool: &Path, folder: &Path) -> Result<Command> {
    program(folder)?;
    let mut command = Command::new("python3");
    command.arg(tool).args(["check", "-j", "4"]).arg(folder);
    Ok(command)
}

/// A command of Terraform in a folder, with a state of its own whatever backend the stack has.
pub(super) fn terraform(tool: &Path, folder: &Path) -> Result<Command> {
    program(folder)?;
    let mut command = Command::new("python3");
    command.arg(tool).args(["terraform", "--local-state"]);
    command.arg(format!("-chdir={}", folder.display()));
    Ok(command)
}
