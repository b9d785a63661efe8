//! Schemathesis at the versions of requirements.txt.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::tools;

const REQUIREMENTS: &str = include_str!("../../schemathesis/requirements.txt");

/// The installed tool.
#[derive(Debug)]
pub(crate) struct Tool(PathBuf);

impl Tool {
    /// Its program.
    pub(super) fn program(&self) -> &Path {
        &self.0
    }
}

/// Installs it where it is not yet installed at these versions.
///
/// # Errors
/// When Python lacks something, or a package cannot be had.
pub(crate) fn install() -> Result<Tool> {
    tools::python("schemathesis", REQUIREMENTS).map(Tool)
}
