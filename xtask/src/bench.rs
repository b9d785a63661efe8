//! `cargo xtask bench`: hands over to the bench driver, built for release.

use anyhow::Result;

use crate::cargo;

/// Builds and runs the driver with these arguments.
///
/// # Errors
/// When it does not build or fails.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut command = cargo::command(&["run", "--release", "--quiet"]);
    command.args(["--package", "outrigger-bench-driver", "--"]).args(args);
    cargo::pass(&mut command)
}
