//! Tools from PyPI, each in a virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{PATIENT_PIP, kept};
use crate::cargo;

/// The program `name` at the versions of `requirements`, which pins it and all that it needs.
///
/// # Errors
/// When Python lacks something, or a package cannot be had.
pub(crate) fn install(name: &str, requirements: &str) -> Result<PathBuf> {
    install_with(Path::new("python3"), name, name, requirements)
}

/// The same with another Python than that of the system; the program is in the folder `name`.
///
/// # Errors
/// As [`install`].
pub(crate) fn install_with(
    python: &Path,
    name: &str,
    program: &str,
    requirements: &str,
) -> Result<PathBuf> {
    let program = |folder: &Path| folder.join("bin").join(program);
    // An environment does not outlive the Python that it was made with.
    let runs = |folder: &Path| {
        let python = Command::new(folder.join("bin/python")).arg("--version").output();
        python.is_ok_and(|output| output.status.success()) && program(folder).exists()
    };
    let folder = kept(name, requirements, runs, |folder| make(python, folder, requirements));
    let folder = folder
        .with_context(|| format!("cannot install {name} from PyPI (needs python3 and pip3)"))?;
    Ok(program(&folder))
}

fn make(python: &Path, folder: &Path, requirements: &str) -> Result<()> {
    // Debian keeps what puts a pip into the environment in a package of its own; the system's pip
    // can fill it from outside.
    let mut venv = Command::new(python);
    cargo::pass(venv.args(["-m", "venv", "--without-pip"]).arg(folder))?;
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements)?;
    let mut pip = Command::new("pip3");
    pip.arg("--python").arg(folder.join("bin/python"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(PATIENT_PIP);
    cargo::pass(pip.arg("--requirement").arg(list))
}
