//! What `doctor` and the health check learn of a SQLite database.

use std::fs;
use std::path::Path;

use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::store::StoreError;
use rusqlite::Connection;

use super::{error, migrate};
use crate::migrations::{self, SQLITE};

/// Asks on the writer's connection: it must be able to begin a write.
pub(super) fn probe(conn: &Connection, path: &Path) -> Result<Probed, StoreError> {
    let ask = || -> rusqlite::Result<(String, i64, i64, i64)> {
        conn.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
        let number = |name: &str| conn.pragma_query_value(None, name, |row| row.get(0));
        let mode = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok((mode, number("synchronous")?, number("page_count")?, number("freelist_count")?))
    };
    let (mode, synchronous, pages, free) = ask().map_err(|error| error::of(&error))?;
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding { severity, message });
    if mode != "wal" || synchronous < 2 {
        find(
            Severity::Error,
            format!("the journal mode is {mode} with synchronous {synchronous}, not wal with 2"),
        );
    }
    let applied = migrate::applied(conn).map_err(|error| error::of(&error))?;
    match migrations::compare(SQLITE, &applied) {
        Ok(list) => {
            if let Some(missing) = list.iter().find(|migration| !migration.applied) {
                let name = &missing.name;
                find(
                    Severity::Error,
                    format!("migration {name} is missing; run `outrigger migrate apply`"),
                );
            }
        }
        Err(error) => find(Severity::Error, error.to_string()),
    }
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(Probed {
        version: format!("SQLite {}", rusqlite::version()),
        facts: vec![
            ("journal_mode", mode),
            ("file_bytes", bytes(path).to_string()),
            ("log_bytes", bytes(Path::new(&log)).to_string()),
            ("pages", pages.to_string()),
            ("free_pages", free.to_string()),
        ],
        findings,
        ..Probed::default()
    })
}
