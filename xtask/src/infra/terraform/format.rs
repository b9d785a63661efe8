//! Every Terraform file is formatted.

use anyhow::Result;

use super::{FOLDER, program};
use crate::cargo;
use crate::root::at;

/// `terraform fmt -check` on all files.
///
/// # Errors
/// When one is not formatted; its difference stands on standard output.
pub(in crate::infra) fn format() -> Result<()> {
    cargo::pass(program(&at(FOLDER))?.args(["fmt", "-check", "-diff", "-recursive"]))
}
