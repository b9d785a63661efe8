//! The binary, asked without any settings of the person who asks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use outrigger_testkit::TempDir;

use crate::generate::program;
use crate::{cargo, metadata};

/// The built binary and an empty folder to run it in.
pub(super) struct Binary {
    program: PathBuf,
    folder: TempDir,
}

impl Binary {
    /// Builds it.
    pub(super) fn build() -> Result<Self> {
        let mut command = cargo::command(&["build", "--quiet", "--package", "outrigger"]);
        cargo::pass(command.args(cargo::FULL))?;
        let program = program(&metadata::workspace()?.target_directory);
        Ok(Self { program, folder: TempDir::new("gen")? })
    }

    /// What it writes. No settings from the environment or a file in the working folder get in.
    pub(super) fn say(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        cargo::capture(command.args(args).env_clear().current_dir(self.folder.path()))
    }
}
