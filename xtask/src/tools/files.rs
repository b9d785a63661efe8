//! Files from PyPI: a package is unpacked, and nothing in it is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{PATIENT_PIP, kept};
use crate::cargo;

/// The folder `name` with the files of one package at its pinned version, without what it needs.
///
/// # Errors
/// When the package cannot be had.
pub(crate) fn install(name: &str, package: &str) -> Result<PathBuf> {
    let make = |folder: &Path| {
        let mut pip = Command::new("pip3");
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(PATIENT_PIP);
        pip.args(["--only-binary", ":all:", "--target"]).arg(folder);
        cargo::pass(pip.arg(package))
    };
    let folder = kept(name, package, |_| true, make);
    folder.with_context(|| format!("cannot get {package} from PyPI (needs pip3)"))
}
