//! Brings the schema of a SQLite database up to what this binary needs.

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{MigrateMode, Migration, StoreError};
use rusqlite::{Connection, params};

use super::plan::Stop;
use super::{error, writer};
use crate::migrations::{self, SQLITE};

/// Says or does what is missing, in one transaction.
pub(super) fn migrate(
    conn: &mut Connection,
    mode: MigrateMode,
    now: Timestamp,
) -> Result<Vec<Migration>, StoreError> {
    if mode == MigrateMode::Plan {
        let applied = applied(conn).map_err(|error| error::of(&error))?;
        return migrations::compare(SQLITE, &applied);
    }
    writer::alone(conn, |conn| {
        conn.execute_batch(
            "CREATE TABLE IF NOT EXISTS outrigger_migrations (\
               name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) \
             WITHOUT ROWID",
        )?;
        let mut list = migrations::compare(SQLITE, &applied(conn)?).map_err(Stop::Refused)?;
        for (script, migration) in SQLITE.iter().zip(&mut list) {
            if !migration.applied {
                conn.execute_batch(script.sql)?;
                conn.execute(
                    "INSERT INTO outrigger_migrations VALUES (?1, ?2, ?3)",
                    params![script.name, script.checksum(), now.to_string()],
                )?;
                migration.applied = true;
            }
        }
        Ok(list)
    })
}

/// What the database has, as (name, checksum).
pub(super) fn applied(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    if !conn.table_exists(None, "outrigger_migrations")? {
        return Ok(Vec::new());
    }
    conn.prepare("SELECT name, checksum FROM outrigger_migrations ORDER BY name")?
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
