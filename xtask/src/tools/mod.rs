//! Tools of the checks that come from PyPI and crates.io, at pinned versions, each in a folder of its own in
//! the cache: installed at the first use, and again only when its list of versions changes.

mod crates;
mod files;
mod python;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::metadata;
use crate::out::say;
pub(crate) use crates::install as from_crates;
pub(crate) use files::install as from_pypi;
pub(crate) use python::{install as python, install_with as python_with};

/// The file that says what a folder holds; written last.
const STAMP: &str = "installed.txt";

/// What pip is told for a network that is slow.
const PATIENT_PIP: [&str; 4] = ["--timeout", "60", "--retries", "10"];

/// Where tools are kept: in the user's cache, or in the build folder where there is none.
pub(crate) fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(match cache {
        Some(cache) => cache.join("outrigger-xtask"),
        None => metadata::workspace()?.target_directory.join("tools"),
    })
}

/// The folder of the tool `name`, filled by `make` unless it holds `versions` already and `runs`.
/// Two that want the same tool at once wait for each other.
fn kept(
    name: &str,
    versions: &str,
    runs: impl Fn(&Path) -> bool,
    make: impl Fn(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let cache = cache()?;
    std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let lock = std::fs::File::create(cache.join(format!("{name}.lock")))?;
    lock.lock()?;
    let folder = cache.join(name);
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == versions) && runs(&folder) {
        return Ok(folder);
    }
    say(&format!("installing {name} in {}", folder.display()));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    make(&folder)?;
    std::fs::write(&stamp, versions)?;
    Ok(folder)
}
