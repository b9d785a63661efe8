//! Which modules, stacks and environments there are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::FOLDER;
use crate::root::at;

/// Every folder with Terraform files below `root`, in order.
pub(super) fn all(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        let paths = entries(&folder)?;
        if paths.iter().any(|path| is(path, "tf")) {
            found.push(folder);
        }
        left.extend(paths.into_iter().filter(|path| path.is_dir() && !is_hidden(path)));
    }
    found.sort();
    Ok(found)
}

/// The stacks below `root`, by name.
pub(super) fn stacks(root: &Path) -> Result<Vec<PathBuf>> {
    let mut stacks = entries(&root.join("stacks"))?;
    stacks.retain(|path| path.is_dir());
    Ok(stacks)
}

/// The names of a stack's environments: those with values.
pub(super) fn environments(stack: &Path) -> Result<Vec<String>> {
    let files = entries(&stack.join("environments"))?;
    let names = files.iter().filter(|path| is(path, "tfvars")).filter_map(|path| path.file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// What a person calls a folder of modules and stacks.
pub(super) fn name(folder: &Path) -> String {
    let root = at(FOLDER);
    folder.strip_prefix(&root).unwrap_or(folder).to_string_lossy().into_owned()
}

/// Whether the file's name ends so.
pub(super) fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|actual| actual == extension)
}

/// What stands in a folder, in order.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder);
    let read = read.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = read.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
