//! Writes a batch whose plan holds.

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Document, Entry, Key, Write};
use rusqlite::{Connection, params};

use super::entries;
use super::plan::{Plan, Row, Stop, writes_entries};

/// Checks the batch and writes it inside the transaction that is open; returns the versions.
pub(super) fn apply(conn: &Connection, batch: &Batch, now: Timestamp) -> Result<Vec<u64>, Stop> {
    let plan = Plan::of(conn, batch, now)?;
    for holder in &plan.expired_holders {
        remove(conn, holder)?;
    }
    // What goes is taken away first, so that one document may take over what another gives up.
    for (write, row) in &plan.steps {
        match (write, row) {
            (Write::Delete { .. }, Some(row)) => remove(conn, row)?,
            (_, Some(row)) if writes_entries(write, Some(row)) => {
                remove_entries(conn, row, write.entries())?;
            }
            _ => {}
        }
    }
    let mut versions = Vec::with_capacity(plan.steps.len());
    for (write, row) in &plan.steps {
        versions.push(write_one(conn, write, row.as_ref())?);
    }
    Ok(versions)
}

fn write_one(conn: &Connection, write: &Write, row: Option<&Row>) -> rusqlite::Result<u64> {
    let live_version = row.filter(|row| row.live).map_or(0, |row| row.version);
    match write {
        Write::Put { key, body, entries, expires_at, .. }
        | Write::Restore { document: Document { key, body, expires_at, .. }, entries, .. } => {
            let packed = entries::pack(entries);
            let version = write.version_after(live_version);
            let expires_at = expires_at.map(Timestamp::as_micros);
            let doc = if let Some(row) = row {
                conn.prepare_cached(
                    "UPDATE documents SET version = ?2, expires_at = ?3, entries = ?4, body = ?5 \
                     WHERE doc = ?1",
                )?
                .execute(params![
                    row.doc,
                    version.cast_signed(),
                    expires_at,
                    packed,
                    &body[..]
                ])?;
                row.doc
            } else {
                conn.prepare_cached(
                    "INSERT INTO documents (collection, id, version, expires_at, entries, body) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .insert(params![
                    key.collection,
                    key.id,
                    version.cast_signed(),
                    expires_at,
                    packed,
                    &body[..]
                ])?
            };
            insert_entries(conn, key, doc, row, entries)?;
            Ok(version)
        }
        Write::Reindex { key, entries, .. } => {
            if let Some(row) = row.filter(|row| row.live) {
                let packed = entries::pack(entries);
                if packed != row.packed {
                    conn.prepare_cached("UPDATE documents SET entries = ?2 WHERE doc = ?1")?
                        .execute(params![row.doc, packed])?;
                    insert_entries(conn, key, row.doc, Some(row), entries)?;
                }
            }
            Ok(live_version)
        }
        Write::Delete { .. } => Ok(0),
        Write::Check { .. } => Ok(live_version),
    }
}

/// Deletes the document with all its entries; no error when it is gone already.
pub(super) fn remove(conn: &Connection, row: &Row) -> rusqlite::Result<()> {
    remove_entries(conn, row, &[])?;
    conn.prepare_cached("DELETE FROM documents WHERE doc = ?1")?.execute(params![row.doc])?;
    Ok(())
}

/// Deletes the entries of the document that are not among `stay`.
fn remove_entries(conn: &Connection, row: &Row, stay: &[Entry]) -> rusqlite::Result<()> {
    for entry in row.entries.iter().filter(|entry| !stay.contains(entry)) {
        let sql = if entry.unique {
            "DELETE FROM unique_entries WHERE (collection, name, value) = \
             (SELECT collection, ?2, ?3 FROM documents WHERE doc = ?1) AND doc = ?1"
        } else {
            "DELETE FROM index_entries WHERE (collection, name, value, id) = \
             (SELECT collection, ?2, ?3, id FROM documents WHERE doc = ?1)"
        };
        conn.prepare_cached(sql)?.execute(params![row.doc, entry.index, entry.value])?;
    }
    Ok(())
}

/// Adds the entries that the document did not have.
fn insert_entries(
    conn: &Connection,
    key: &Key,
    doc: i64,
    row: Option<&Row>,
    entries: &[Entry],
) -> rusqlite::Result<()> {
    let had = row.map_or(&[][..], |row| &row.entries);
    for entry in entries.iter().filter(|entry| !had.contains(entry)) {
        let sql = if entry.unique {
            "INSERT INTO unique_entries (collection, name, value, id, doc) \
             VALUES (?1, ?2, ?3, ?4, ?5)"
        } else {
            "INSERT INTO index_entries (collection, name, value, id, doc) \
             VALUES (?1, ?2, ?3, ?4, ?5)"
        };
        conn.prepare_cached(sql)?.execute(params![
            key.collection,
            entry.index,
            entry.value,
            key.id,
            doc
        ])?;
    }
    Ok(())
}

/// The keys of expired documents, the oldest first.
pub(super) const EXPIRED: &str = "SELECT collection, id FROM documents \
     WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

/// Deletes up to `limit` expired documents; returns how many.
pub(super) fn purge(conn: &Connection, limit: usize, now: Timestamp) -> Result<usize, Stop> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let keys = conn
        .prepare_cached(EXPIRED)?
        .query_map(params![now.as_micros(), limit], |row| {
            Ok(Key { collection: row.get(0)?, id: row.get(1)? })
        })?
        .collect::<rusqlite::Result<Vec<Key>>>()?;
    for key in &keys {
        if let Some(row) = super::plan::row(conn, key, now)? {
            remove(conn, &row)?;
        }
    }
    Ok(keys.len())
}
