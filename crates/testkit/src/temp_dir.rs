//! A temporary folder that is removed with its value.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::root;

/// An empty folder of its own under the system's temporary folder, removed on drop (and, when the
/// value is never dropped, at the end of the process).
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes one; `name` is for the reader of a path.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(name: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = root::root()?.join(format!("{number:03}-{name}"));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of something in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // What cannot be removed now, the janitor tries again at the end.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
