//! Every statement of the store, prepared once on each connection when it is first used.
//!
//! Each reads or writes by one range of one index. The session settings of
//! [`super::connect`] keep the planner from anything else, whatever its statistics say; `OFFSET 0`
//! keeps it from moving the condition on a document's key out of the lookup, which it likes to do
//! for a table that was empty when the statement was prepared.

use tokio::sync::OnceCell;
use tokio_postgres::{Client, Error, Statement};

/// Names a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Get,
    GetMany,
    ById,
    ByIdDescending,
    ByIndex,
    ByIndexDescending,
    ByUnique,
    ByUniqueDescending,
    Scan,
    Commit,
    Restore,
    Create,
    CreateWithEntries,
    CreateMany,
    Purge,
}

/// How many there are.
const COUNT: usize = Which::Purge as usize + 1;

macro_rules! by_entries {
    ($table:literal, $order:literal) => {
        concat!(
            "SELECT e.value, e.id, d.version, d.expires_at, d.body FROM ",
            $table,
            " e CROSS JOIN LATERAL (\
               SELECT version, expires_at, body FROM outrigger_documents \
               WHERE collection = $1 AND id = e.id \
               AND (expires_at IS NULL OR expires_at > $7) OFFSET 0) d \
             WHERE e.collection = $1 AND e.name = $2 \
             AND (e.value, e.id) > ($3, $4) AND (e.value, e.id) < ($5, $6) ORDER BY ",
            $order,
            " LIMIT $8"
        )
    };
}

macro_rules! by_id {
    ($order:literal) => {
        concat!(
            "SELECT ''::bytea, id, version, expires_at, body FROM outrigger_documents \
             WHERE collection = $1 AND id >= $2 AND id < $3 \
             AND (expires_at IS NULL OR expires_at > $4) ORDER BY ",
            $order,
            " LIMIT $5"
        )
    };
}

/// Returns the keys of those that were created. None of the entries is unique.
const CREATE_MANY: &str = "WITH created AS (\
       INSERT INTO outrigger_documents (version, expires_at, collection, id, \
         entry_names, entry_values, entry_uniques, body) \
       SELECT 1, d.expires_at, d.collection, d.id, \
         CASE WHEN d.first <= d.last THEN ($8::text[])[d.first:d.last] END, \
         CASE WHEN d.first <= d.last THEN ($9::bytea[])[d.first:d.last] END, \
         CASE WHEN d.first <= d.last THEN ($10::boolean[])[d.first:d.last] END, d.body \
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], \
         $5::integer[], $6::integer[]) \
         AS d(expires_at, collection, id, body, first, last) \
       ON CONFLICT DO NOTHING RETURNING collection, id), \
     plain AS (\
       INSERT INTO outrigger_index_entries (collection, name, value, id) \
       SELECT ($2::text[])[e.document], e.name, e.value, ($3::text[])[e.document] \
       FROM unnest($7::integer[], $8::text[], $9::bytea[], $10::boolean[]) \
         AS e(document, name, value, is_unique) \
       WHERE (($2::text[])[e.document], ($3::text[])[e.document]) IN (SELECT collection, id FROM created)) \
     SELECT collection, id FROM created";

impl Which {
    /// The text.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Get => {
                "SELECT version, expires_at, body FROM outrigger_documents \
                 WHERE collection = $1 AND id = $2"
            }
            Self::GetMany => {
                "SELECT k.position, d.version, d.expires_at, d.body \
                 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(collection, id, position) \
                 CROSS JOIN LATERAL (\
                   SELECT version, expires_at, body FROM outrigger_documents \
                   WHERE collection = k.collection AND id = k.id OFFSET 0) d"
            }
            Self::ById => by_id!("id"),
            Self::ByIdDescending => by_id!("id DESC"),
            Self::ByIndex => by_entries!("outrigger_index_entries", "e.value, e.id"),
            Self::ByIndexDescending => {
                by_entries!("outrigger_index_entries", "e.value DESC, e.id DESC")
            }
            Self::ByUnique => by_entries!("outrigger_unique_entries", "e.value"),
            Self::ByUniqueDescending => by_entries!("outrigger_unique_entries", "e.value DESC"),
            Self::Scan => {
                "SELECT collection, id, version, expires_at, body, \
                   entry_names, entry_values, entry_uniques FROM outrigger_documents \
                 WHERE (collection, id) > ($1, $2) AND (expires_at IS NULL OR expires_at > $3) \
                 ORDER BY collection, id LIMIT $4"
            }
            Self::Commit => {
                "SELECT outrigger_commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
            }
            Self::Restore => {
                "SELECT outrigger_restore_v1($14, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
            }
            // Returns 1 when it was created, nothing when somebody has it.
            Self::Create => {
                "INSERT INTO outrigger_documents (version, expires_at, collection, id, body) \
                 VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1::bigint"
            }
            Self::CreateWithEntries => {
                "WITH created AS (\
                   INSERT INTO outrigger_documents (version, expires_at, collection, id, \
                     entry_names, entry_values, entry_uniques, body) \
                   VALUES (1, $1, $2, $3, $5, $6, $7, $4) ON CONFLICT DO NOTHING \
                   RETURNING expires_at, collection, id), \
                 plain AS (\
                   INSERT INTO outrigger_index_entries (collection, name, value, id) \
                   SELECT c.collection, e.name, e.value, c.id FROM created c, \
                     unnest($5, $6, $7) AS e(name, value, is_unique) WHERE NOT e.is_unique), \
                 uniques AS (\
                   INSERT INTO outrigger_unique_entries (collection, name, value, id, expires_at) \
                   SELECT c.collection, e.name, e.value, c.id, c.expires_at FROM created c, \
                     unnest($5, $6, $7) AS e(name, value, is_unique) WHERE e.is_unique \
                   ORDER BY e.name COLLATE \"C\", e.value) \
                 SELECT 1::bigint FROM created"
            }
            Self::CreateMany => CREATE_MANY,
            Self::Purge => "SELECT outrigger_purge_v1($1, $2)",
        }
    }
}

/// The statements that a connection has prepared so far.
#[derive(Debug, Default)]
pub(super) struct Statements([OnceCell<Statement>; COUNT]);

impl Statements {
    /// The statement, if it is prepared on this connection.
    pub(super) fn prepared(&self, which: Which) -> Option<&Statement> {
        self.0[which as usize].get()
    }

    /// The statement, prepared on this connection now if it was not before.
    pub(super) async fn get(&self, client: &Client, which: Which) -> Result<&Statement, Error> {
        self.0[which as usize].get_or_try_init(|| client.prepare(which.sql())).await
    }
}
