//! Runs cargo, in the root of the repository.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::root::root;

/// Every backend is built in, as in the released image.
pub(crate) const FULL: [&str; 2] = ["--features", "outrigger/full"];

/// A cargo command: the cargo that started this program, without its variables about xtask's own
/// package, which would make build scripts of others run again.
pub(crate) fn command(args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command to its end with its output passed through.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub(crate) fn pass(command: &mut Command) -> Result<()> {
    let words = words(command);
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run {words}"))?;
    if !status.success() {
        bail!("{words} ended with {status}");
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output; its errors are passed through.
///
/// # Errors
/// When it cannot be started, does not end with 0, or does not write UTF-8.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let words = words(command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {words}"))?;
    if !output.status.success() {
        bail!("{words} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{words} wrote no UTF-8"))
}

fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}
