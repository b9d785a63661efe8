//! What the rules look at: the files of the repository and the packages of the workspace.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo;
use crate::metadata::{self, Package};
use crate::root::{at, root};

/// The repository.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// What git knows or would add.
    pub(super) files: Vec<File>,
    /// The workspace's packages.
    pub(super) packages: Vec<Package>,
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    /// What it says; empty when it is not UTF-8.
    pub(super) text: String,
    /// How large it is.
    pub(super) bytes: usize,
}

impl File {
    /// Whether it is Rust.
    pub(super) fn is_rust(&self) -> bool {
        self.ends_in("rs")
    }

    /// Whether it is Markdown.
    pub(super) fn is_markdown(&self) -> bool {
        self.ends_in("md")
    }

    fn ends_in(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|actual| actual == extension)
    }

    /// Whether all of it is tests.
    pub(super) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

impl Tree {
    /// The working tree: files that are tracked, and new ones that are not ignored.
    pub(super) fn read() -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let list =
            cargo::capture(git.current_dir(root())).context("tidy asks git for the files")?;
        let mut files = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // A file that is deleted but still in the index is not there any more.
            let Ok(bytes) = std::fs::read(at(path)) else { continue };
            let size = bytes.len();
            let text = String::from_utf8(bytes).unwrap_or_default();
            files.push(File { path: path.to_owned(), text, bytes: size });
        }
        Ok(Self { files, packages: metadata::workspace()?.packages })
    }

    /// The Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The file at this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether the path is a file or a folder with files.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
            bytes: text.len(),
        });
        Self { files: files.collect(), packages: Vec::new() }
    }

    /// The same with a package in the folder, for tests: `dependencies` are names, with `dev:` in
    /// front for those of tests.
    #[cfg(test)]
    pub(super) fn with(mut self, name: &str, folder: &str, dependencies: &[&str]) -> Self {
        use crate::metadata::{Dependency, Target};
        let dependencies = dependencies.iter().map(|name| match name.strip_prefix("dev:") {
            Some(name) => Dependency { name: name.into(), kind: Some("dev".into()) },
            None => Dependency { name: (*name).into(), kind: None },
        });
        self.packages.push(Package {
            id: name.into(),
            name: name.into(),
            version: "0.1.0".into(),
            license: None,
            source: None,
            manifest_path: format!("{folder}/Cargo.toml").into(),
            dependencies: dependencies.collect(),
            targets: vec![Target { src_path: format!("{folder}/src/lib.rs").into() }],
        });
        self
    }
}
