//! How a SQLite store is set up.

use std::path::PathBuf;
use std::time::Duration;

/// The settings of a SQLite store. [`SqliteOptions::at`] gives sane ones.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; it and its folder are made when missing.
    pub path: PathBuf,
    /// How long a write waits for another program that has the file locked.
    pub busy_timeout: Duration,
    /// Most bytes of the file that each reader maps into memory; what is not touched costs nothing.
    pub mmap_bytes: u64,
    /// Most KiB of pages that each reader keeps.
    pub reader_cache_kib: u32,
    /// Most KiB of pages that the writer keeps.
    pub writer_cache_kib: u32,
    /// Threads that run lists and scans, so that a long one does not hold up the others.
    pub query_threads: usize,
    /// Most bytes of the database file; a write over it is refused as on a full disk.
    pub bytes_max: Option<u64>,
}

impl SqliteOptions {
    /// Settings for the database in this file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/outrigger.db"),
            busy_timeout: Duration::from_secs(5),
            mmap_bytes: 64 << 20,
            reader_cache_kib: 1024,
            writer_cache_kib: 4096,
            query_threads: 2,
            bytes_max: None,
        }
    }
}
