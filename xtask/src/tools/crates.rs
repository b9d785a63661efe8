//! Tools from crates.io, each in a folder of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::kept;
use crate::cargo;

/// The program `name`, installed by `cargo install` with these arguments, which pin its version.
/// A build folder of its own is removed afterwards.
///
/// # Errors
/// When the crate cannot be had or does not build.
pub(crate) fn install(name: &str, arguments: &[&str]) -> Result<PathBuf> {
    let program = |folder: &Path| folder.join("bin").join(name);
    let runs = |folder: &Path| program(folder).exists();
    let folder = kept(name, &arguments.join(" "), runs, |folder| make(folder, arguments));
    let folder = folder.with_context(|| format!("cannot install {name} from crates.io"))?;
    Ok(program(&folder))
}

fn make(folder: &Path, arguments: &[&str]) -> Result<()> {
    let build = folder.join("build");
    let mut command = cargo::command(&["install", "--quiet"]);
    command.args(arguments).arg("--root").arg(folder).arg("--target-dir").arg(&build);
    // Nobody looks into it with a debugger.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    // For a network that is slow.
    cargo::pass(command.env("CARGO_HTTP_TIMEOUT", "60").env("CARGO_NET_RETRY", "10"))?;
    Ok(std::fs::remove_dir_all(build)?)
}
