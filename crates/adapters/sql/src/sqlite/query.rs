//! Reads: points, lists and scans, each by one range of one index.

use bytes::Bytes;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Found, Key, Order, Position, Scanned};
use rusqlite::Error::FromSqlConversionFailure;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::entries;
use crate::fault::Fault;
use crate::span::{IdSpan, ValueSpan};

/// A list, with its bounds brought to one form.
#[derive(Debug)]
pub(super) enum List {
    /// By id.
    Id(IdSpan),
    /// By a plain index.
    Index(String, ValueSpan),
    /// By a unique index.
    Unique(String, ValueSpan),
}

impl List {
    pub(super) fn of(query: &outrigger_ports::store::Query<'_>) -> Self {
        match query.order {
            Order::Id => Self::Id(IdSpan::of(query)),
            Order::Index(name) => Self::Index(name.to_owned(), ValueSpan::of(query)),
            Order::Unique(name) => Self::Unique(name.to_owned(), ValueSpan::of(query)),
        }
    }

    /// The statement, which the tests also explain.
    pub(super) fn sql(&self, descending: bool) -> &'static str {
        const BY_ID: [&str; 2] = [
            "SELECT x'', id, version, expires_at, body FROM documents \
             WHERE collection = ?1 AND id >= ?2 AND id < ?3 \
             AND (expires_at IS NULL OR expires_at > ?4) ORDER BY id LIMIT ?5",
            "SELECT x'', id, version, expires_at, body FROM documents \
             WHERE collection = ?1 AND id >= ?2 AND id < ?3 \
             AND (expires_at IS NULL OR expires_at > ?4) ORDER BY id DESC LIMIT ?5",
        ];
        // CROSS JOIN fixes the order: the entries are walked, each leads to its document.
        const BY_INDEX: [&str; 2] = [
            "SELECT e.value, e.id, d.version, d.expires_at, d.body \
             FROM index_entries e CROSS JOIN documents d ON d.doc = e.doc \
             WHERE e.collection = ?1 AND e.name = ?2 \
             AND (e.value, e.id) > (?3, ?4) AND (e.value, e.id) < (?5, ?6) \
             AND (d.expires_at IS NULL OR d.expires_at > ?7) ORDER BY e.value, e.id LIMIT ?8",
            "SELECT e.value, e.id, d.version, d.expires_at, d.body \
             FROM index_entries e CROSS JOIN documents d ON d.doc = e.doc \
             WHERE e.collection = ?1 AND e.name = ?2 \
             AND (e.value, e.id) > (?3, ?4) AND (e.value, e.id) < (?5, ?6) \
             AND (d.expires_at IS NULL OR d.expires_at > ?7) \
             ORDER BY e.value DESC, e.id DESC LIMIT ?8",
        ];
        const BY_UNIQUE: [&str; 2] = [
            "SELECT e.value, e.id, d.version, d.expires_at, d.body \
             FROM unique_entries e CROSS JOIN documents d ON d.doc = e.doc \
             WHERE e.collection = ?1 AND e.name = ?2 \
             AND (e.value, e.id) > (?3, ?4) AND (e.value, e.id) < (?5, ?6) \
             AND (d.expires_at IS NULL OR d.expires_at > ?7) ORDER BY e.value LIMIT ?8",
            "SELECT e.value, e.id, d.version, d.expires_at, d.body \
             FROM unique_entries e CROSS JOIN documents d ON d.doc = e.doc \
             WHERE e.collection = ?1 AND e.name = ?2 \
             AND (e.value, e.id) > (?3, ?4) AND (e.value, e.id) < (?5, ?6) \
             AND (d.expires_at IS NULL OR d.expires_at > ?7) ORDER BY e.value DESC LIMIT ?8",
        ];
        let direction = usize::from(descending);
        match self {
            Self::Id(_) => BY_ID[direction],
            Self::Index(..) => BY_INDEX[direction],
            Self::Unique(..) => BY_UNIQUE[direction],
        }
    }

    /// Runs it.
    pub(super) fn run(
        &self,
        conn: &Connection,
        collection: &str,
        descending: bool,
        limit: usize,
        now: Timestamp,
    ) -> rusqlite::Result<Vec<Found>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut sql = conn.prepare_cached(self.sql(descending))?;
        let found = |row: &Row<'_>| {
            let position = Position { value: row.get(0)?, id: row.get(1)? };
            let key = Key::new(collection, position.id.clone());
            Ok(Found { position, document: document(key, row, 2)? })
        };
        match self {
            Self::Id(span) => sql
                .query_map(params![collection, span.from, span.to, now.as_micros(), limit], found)?
                .collect(),
            Self::Index(name, span) | Self::Unique(name, span) => {
                let ((v1, id1), (v2, id2)) = (&span.lower, &span.upper);
                sql.query_map(
                    params![collection, name, v1, id1, v2, id2, now.as_micros(), limit],
                    found,
                )?
                .collect()
            }
        }
    }
}

/// The document in the columns from `first` on: version, expiry, body.
fn document(key: Key, row: &Row<'_>, first: usize) -> rusqlite::Result<Document> {
    Ok(Document {
        key,
        version: row.get::<_, i64>(first)?.cast_unsigned(),
        expires_at: row.get::<_, Option<i64>>(first + 1)?.map(Timestamp::from_micros),
        body: Bytes::from(row.get::<_, Vec<u8>>(first + 2)?),
    })
}

/// The live document with this key.
pub(super) fn get(
    conn: &Connection,
    key: &Key,
    now: Timestamp,
) -> rusqlite::Result<Option<Document>> {
    let found = conn
        .prepare_cached(
            "SELECT version, expires_at, body FROM documents WHERE collection = ?1 AND id = ?2",
        )?
        .query_row(params![key.collection, key.id], |row| document(key.clone(), row, 0))
        .optional()?;
    Ok(found.filter(|document| document.expires_at.is_none_or(|at| at > now)))
}

/// The live documents with these keys, as they are at one instant.
pub(super) fn get_many(
    conn: &Connection,
    keys: &[Key],
    now: Timestamp,
) -> rusqlite::Result<Vec<Option<Document>>> {
    let instant = conn.unchecked_transaction()?;
    let found = keys.iter().map(|key| get(&instant, key, now)).collect();
    instant.commit()?;
    found
}

/// Live documents of all collections after a key.
pub(super) fn scan(
    conn: &Connection,
    after: Option<&Key>,
    limit: usize,
    now: Timestamp,
) -> rusqlite::Result<Vec<Scanned>> {
    let (collection, id) = after.map_or(("", ""), |key| (key.collection.as_str(), key.id.as_str()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    conn.prepare_cached(SCAN)?
        .query_map(params![collection, id, now.as_micros(), limit], |row| {
            let document = document(Key { collection: row.get(0)?, id: row.get(1)? }, row, 2)?;
            let entries = entries::unpack(&row.get::<_, Vec<u8>>(5)?).ok_or_else(|| {
                FromSqlConversionFailure(5, Type::Blob, Fault::cause("its entries are damaged"))
            })?;
            Ok(Scanned::new(document, entries))
        })?
        .collect()
}

/// The statement of [`scan`], which the tests also explain.
pub(super) const SCAN: &str = "SELECT collection, id, version, expires_at, body, entries FROM documents \
     WHERE (collection, id) > (?1, ?2) AND (expires_at IS NULL OR expires_at > ?3) \
     ORDER BY collection, id LIMIT ?4";
