//! Where the repository is.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// As cargo says when it runs this program: clones that share a build folder share the program.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR");
    xtask.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from).join("..")
});

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    &ROOT
}

/// The absolute path of something in the repository.
pub(crate) fn at(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}
