//! Opens connections to the database file, and keeps other processes away from it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use outrigger_ports::store::StoreError;
use rusqlite::{Connection, OpenFlags};

use super::{SqliteOptions, error};
use crate::fault::Fault;

/// Pages of the log after which they are moved into the database: a commit in so many pays.
const CHECKPOINT_PAGES: u32 = 4000;
/// Most bytes of the log that stay on disk when it is empty.
const LOG_BYTES_KEPT: u32 = 32 << 20;
/// Statements that a connection keeps prepared; there are fewer.
const STATEMENTS: usize = 48;

/// The right to use the database file, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Lock {
    /// Takes the lock beside the database; makes the folder when it is missing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] names the file and what to do.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let fault = |path: &Path, error: &io::Error| {
            StoreError::Unavailable(Fault::cause(format!(
                "cannot use {}: {error}; give a path that this user can write",
                path.display()
            )))
        };
        if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| fault(folder, &error))?;
        }
        let path = beside(database, ".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| fault(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(Fault::cause(format!(
                "{} is in use by another process; a SQLite database serves one process: stop the \
                 other one, or use PostgreSQL for several",
                database.display()
            )))),
            Err(TryLockError::Error(error)) => Err(fault(&path, &error)),
        }
    }
}

/// Opens the connection of the writer and makes the file when it is missing.
pub(super) fn writer(options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
        connection.pragma_update(None, "cache_size", -i64::from(options.writer_cache_kib))?;
        if let Some(bytes) = options.bytes_max {
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            connection.pragma_update(None, "max_page_count", bytes / page.max(1))?;
        }
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    open().map_err(|error| named(&options.path, &error))
}

/// Opens a connection that only reads.
pub(super) fn reader(options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        let mapped = i64::try_from(options.mmap_bytes).unwrap_or(i64::MAX);
        connection.pragma_update(None, "mmap_size", mapped)?;
        connection.pragma_update(None, "cache_size", -i64::from(options.reader_cache_kib))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    open().map_err(|error| named(&options.path, &error))
}

fn named(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error::of(error) {
        StoreError::Internal(cause) => StoreError::Internal(Fault::cause(format!(
            "cannot open {} as a SQLite database: {cause}",
            path.display()
        ))),
        StoreError::Unavailable(cause) => StoreError::Unavailable(Fault::cause(format!(
            "cannot open {}: {cause}",
            path.display()
        ))),
        other => other,
    }
}
