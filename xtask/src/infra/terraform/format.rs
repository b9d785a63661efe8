//! Every Terraform file is formatted.

use anyhow::Result;

use super::{FOLDER, run};

/// `terraform fmt -check` on all files.
///
/// # Errors
/// When one is not formatted; its difference stands on standard output.
pub(in crate::infra) fn format() -> Result<()> {
    run(FOLDER, &["fmt", "-check", "-diff", "-recursive"])
}
