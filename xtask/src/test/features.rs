//! The binary without features, asked for what it has not got (`crates/outrigger/tests/features.rs`).

use anyhow::Result;

use crate::cargo;

/// Builds it and runs its tests. Packages have the features that they have beside each other in the
/// workspace, as in all that is tested: only the package `outrigger` itself is compiled once more.
///
/// It takes the place of the binary with all features until that is built again.
///
/// # Errors
/// When it does not build, or a sentence lacks; the tests have written which.
pub(super) fn run() -> Result<()> {
    cargo::pass(&mut cargo::command(&["test", "--workspace", "--test", "features"]))
}
