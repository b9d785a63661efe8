//! What `cargo metadata` says of the workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cargo;
use crate::root::root;

/// The answer of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// The packages: of the workspace alone, or with all dependencies.
    pub(crate) packages: Vec<Package>,
    /// The ids of the workspace's packages.
    pub(crate) workspace_members: Vec<String>,
    /// Where cargo builds.
    pub(crate) target_directory: PathBuf,
}

/// A package.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; none: a folder.
    pub(crate) source: Option<String>,
    /// Its Cargo.toml.
    pub(crate) manifest_path: PathBuf,
    /// What its Cargo.toml asks for.
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
    /// Libraries, binaries, examples, tests.
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

/// A dependency as written in a Cargo.toml.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package.
    pub(crate) name: String,
    /// `dev`, `build`, or none for the ordinary ones.
    pub(crate) kind: Option<String>,
}

/// Something that is compiled by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Target {
    /// Its root file.
    pub(crate) src_path: PathBuf,
}

/// The workspace's own packages.
///
/// # Errors
/// When cargo fails.
pub(crate) fn workspace() -> Result<Metadata> {
    read(&["metadata", "--format-version=1", "--no-deps"])
}

/// Every package in Cargo.lock that this platform could use.
///
/// # Errors
/// When cargo fails, for example because Cargo.lock is out of date.
pub(crate) fn all(platform: &str) -> Result<Metadata> {
    read(&["metadata", "--format-version=1", "--locked", "--filter-platform", platform])
}

fn read(args: &[&str]) -> Result<Metadata> {
    let json = cargo::capture(&mut cargo::command(args))?;
    serde_json::from_str(&json).context("cargo metadata has changed its form")
}

/// The path as it stands in the repository, with `/`.
pub(crate) fn relative(path: &Path) -> String {
    let root = root().canonicalize().unwrap_or_else(|_| root().to_owned());
    path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned()
}
