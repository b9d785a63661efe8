//! Terraform: where the program and the providers come from, and the checks made with them.

mod apply;
mod emulator;
mod folders;
mod format;
mod guard;
mod plans;
mod policies;
mod real;
mod recorded;
mod settings;
mod sizes;
mod suites;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

pub(super) use apply::apply;
pub(super) use format::format;
pub(super) use guard::guard;
pub(super) use plans::plans;
pub(super) use policies::policies;
pub(super) use sizes::sizes;
pub(super) use suites::suites;

/// All modules and stacks.
const FOLDER: &str = "deploy/terraform";
/// The variable that names the file with terraform's own settings.
const SETTINGS: &str = "TF_CLI_CONFIG_FILE";

/// Terraform itself, to be run in a folder.
///
/// # Errors
/// Says what to install when it is not there.
fn program(folder: &Path) -> Result<Command> {
    let found = Command::new("terraform").arg("version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        bail!(
            "terraform is not on PATH: install 1.11 or later (https://developer.hashicorp.com/terraform/install)"
        );
    }
    let mut command = Command::new("terraform");
    command.arg(format!("-chdir={}", folder.display())).env("CHECKPOINT_DISABLE", "1");
    // Terraform warns, each time, of a file with its settings that is not there.
    if std::env::var_os(SETTINGS).is_some_and(|path| !Path::new(&path).exists()) {
        command.env_remove(SETTINGS);
    }
    Ok(command)
}
