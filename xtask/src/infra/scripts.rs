//! shellcheck on the scripts of a roll-out.

use std::process::Command;

use anyhow::{Context, Result};

use crate::root::at;
use crate::{cargo, tools};

const SHELLCHECK: &str = include_str!("../../infra/shellcheck.txt");

const FOLDERS: &[&str] = &["deploy/ecs", "deploy/eks", "deploy/registry"];

/// Every script; what shellcheck is told to overlook has its reason beside it.
///
/// # Errors
/// When it finds something.
pub(super) fn check() -> Result<()> {
    let mut command = Command::new(tools::python("shellcheck", SHELLCHECK)?);
    command.arg("--external-sources");
    for folder in FOLDERS {
        for entry in std::fs::read_dir(at(folder)).context(*folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                command.arg(path);
            }
        }
    }
    cargo::pass(&mut command)
}
