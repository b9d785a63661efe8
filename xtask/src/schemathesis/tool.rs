//! Schemathesis in a virtual environment below the build folder, at the versions of
//! requirements.txt.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::out::say;
use crate::{cargo, metadata};

const REQUIREMENTS: &str = include_str!("../../schemathesis/requirements.txt");

/// The installed tool.
#[derive(Debug)]
pub(crate) struct Tool(PathBuf);

impl Tool {
    /// Its program.
    pub(super) fn program(&self) -> PathBuf {
        self.0.join("bin/schemathesis")
    }

    /// Whether it starts: an environment does not outlive the Python that it was made with.
    fn runs(&self) -> bool {
        let output = Command::new(self.program()).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    }
}

/// Installs it where it is not yet installed at these versions.
///
/// # Errors
/// When Python lacks something, or a package cannot be had.
pub(crate) fn install() -> Result<Tool> {
    let folder = metadata::workspace()?.target_directory.join("venv-schemathesis");
    let stamp = folder.join("installed.txt");
    let tool = Tool(folder.clone());
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == REQUIREMENTS) && tool.runs() {
        return Ok(tool);
    }
    say(&format!("installing schemathesis in {}", folder.display()));
    make(&folder).context("cannot install schemathesis from PyPI (needs python3 and pip3)")?;
    std::fs::write(&stamp, REQUIREMENTS)?;
    Ok(tool)
}

fn make(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    // Debian keeps what puts a pip into the environment in a package of its own; the system's pip
    // can fill it from outside.
    let mut venv = Command::new("python3");
    cargo::pass(venv.args(["-m", "venv", "--without-pip"]).arg(folder))?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    let mut pip = Command::new("pip3");
    pip.arg("--python").arg(folder.join("bin/python"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    cargo::pass(pip.arg(requirements))
}
