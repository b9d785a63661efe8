//! What a batch finds and what it will change, before anything is changed.
//!
//! All preconditions and unique values are checked first, so a batch that is refused has written
//! nothing and the others of its group go on in the same transaction.

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Entry, Key, StoreError, Write};
use rusqlite::{Connection, OptionalExtension, params};

use super::entries;
use crate::fault::Fault;

/// Why a batch does not happen.
#[derive(Debug)]
pub(super) enum Stop {
    /// It may not: nothing was written.
    Refused(StoreError),
    /// The database failed: the whole transaction is in doubt.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// The row of a document, live or expired.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) doc: i64,
    pub(super) version: u64,
    pub(super) live: bool,
    pub(super) packed: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

/// A batch and what it met.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Each write and the row of its document.
    pub(super) steps: Vec<(&'a Write, Option<Row>)>,
    /// Expired documents that hold a unique value which the batch needs.
    pub(super) expired_holders: Vec<Row>,
}

/// Reads the row of a document.
pub(super) fn row(conn: &Connection, key: &Key, now: Timestamp) -> Result<Option<Row>, Stop> {
    let sql = "SELECT doc, version, expires_at, entries FROM documents \
               WHERE collection = ?1 AND id = ?2";
    read_row(conn, sql, params![key.collection, key.id], now)
}

fn read_row(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    now: Timestamp,
) -> Result<Option<Row>, Stop> {
    let found = conn
        .prepare_cached(sql)?
        .query_row(params, |row| {
            let expires_at: Option<i64> = row.get(2)?;
            Ok(Row {
                doc: row.get(0)?,
                version: row.get::<_, i64>(1)?.cast_unsigned(),
                live: expires_at.is_none_or(|at| at > now.as_micros()),
                packed: row.get(3)?,
                entries: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut row) = found else { return Ok(None) };
    row.entries = entries::unpack(&row.packed).ok_or_else(|| {
        let what = format!("the entries of document {} are damaged", row.doc);
        Stop::Refused(StoreError::Internal(Fault::cause(what)))
    })?;
    Ok(Some(row))
}

impl<'a> Plan<'a> {
    /// Reads what is there and checks all that must hold.
    pub(super) fn of(conn: &Connection, batch: &'a Batch, now: Timestamp) -> Result<Self, Stop> {
        let mut plan =
            Self { steps: Vec::with_capacity(batch.writes.len()), expired_holders: Vec::new() };
        for (position, write) in batch.writes.iter().enumerate() {
            let row = row(conn, write.key(), now)?;
            let found = row.as_ref().filter(|row| row.live).map(|row| row.version);
            if !write.precondition().holds(found) {
                return Err(Stop::Refused(StoreError::Precondition { write: position, found }));
            }
            plan.steps.push((write, row));
        }
        plan.check_unique(conn, now)?;
        Ok(plan)
    }

    /// Checks that nobody else has the unique values, as they will be after the batch.
    fn check_unique(&mut self, conn: &Connection, now: Timestamp) -> Result<(), Stop> {
        let mut taken: Vec<(&str, &Entry)> = Vec::new();
        let mut expired = Vec::new();
        for (position, (write, row)) in self.steps.iter().enumerate() {
            if !writes_entries(write, row.as_ref()) {
                continue;
            }
            let collection = write.key().collection.as_str();
            for entry in write.entries().iter().filter(|entry| entry.unique) {
                let refused = || {
                    let index = entry.index.clone();
                    Err(Stop::Refused(StoreError::Unique { write: position, index }))
                };
                if taken.contains(&(collection, entry)) {
                    return refused();
                }
                taken.push((collection, entry));
                let Some(holder) = holder(conn, collection, entry)? else { continue };
                if self.rewrites(holder) {
                    continue;
                }
                let Some(holder) = row_of(conn, holder, now)? else { continue };
                if holder.live {
                    return refused();
                }
                expired.push(holder);
            }
        }
        self.expired_holders = expired;
        Ok(())
    }

    /// Whether the batch itself takes its values away from this document. Should it give them
    /// back, that is the fault of the write which does.
    fn rewrites(&self, holder: i64) -> bool {
        self.steps.iter().any(|(write, row)| {
            row.as_ref().is_some_and(|row| row.doc == holder)
                && (matches!(write, Write::Delete { .. }) || writes_entries(write, row.as_ref()))
        })
    }
}

/// Whether the write sets the entries of its document: a reindex of what is not there does not.
pub(super) fn writes_entries(write: &Write, row: Option<&Row>) -> bool {
    match write {
        Write::Put { .. } | Write::Restore { .. } => true,
        Write::Reindex { .. } => row.is_some_and(|row| row.live),
        Write::Delete { .. } | Write::Check { .. } => false,
    }
}

fn holder(conn: &Connection, collection: &str, entry: &Entry) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT doc FROM unique_entries WHERE collection = ?1 AND name = ?2 AND value = ?3",
    )?
    .query_row(params![collection, entry.index, entry.value], |row| row.get(0))
    .optional()
}

fn row_of(conn: &Connection, doc: i64, now: Timestamp) -> Result<Option<Row>, Stop> {
    let sql = "SELECT doc, version, expires_at, entries FROM documents WHERE doc = ?1";
    read_row(conn, sql, params![doc], now)
}
