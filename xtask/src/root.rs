//! Where the repository is.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The absolute path of something in the repository.
pub(crate) fn at(relative: impl AsRef<Path>) -> PathBuf {
    root().join(relative)
}
