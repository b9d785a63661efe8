//! What PostgreSQL said, as a store's error.

use outrigger_ports::store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::fault::Fault;

/// What a failed commit means.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was changed, and the same batch may pass at once.
    Again(StoreError),
    /// The server gave up waiting, or was told to: nothing was changed, and of what was sent
    /// together most might have passed.
    Stopped(StoreError),
    /// As it stands.
    Final(StoreError),
}

/// An error of a read, or of anything that surely changed nothing.
pub(super) fn of(error: &Error) -> StoreError {
    let cause = Fault::cause(Fault::of(error).0);
    let Some(db) = error.as_db_error() else { return StoreError::Unavailable(cause) };
    let code = db.code();
    let missing = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_COLUMN,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    if *code == SqlState::QUERY_CANCELED {
        StoreError::Timeout
    } else if *code == SqlState::DISK_FULL {
        StoreError::Full(cause)
    } else if missing.contains(code) {
        StoreError::Schema(format!("{}; run `outrigger migrate apply`", db.message()))
    } else if is_transient(db) {
        StoreError::Unavailable(cause)
    } else {
        StoreError::Internal(cause)
    }
}

/// Whether the server may well take it a little later, or another connection take it now.
fn is_transient(db: &DbError) -> bool {
    let code = db.code().code();
    // 08 connection, 28 authentication, 53 resources, 57 operator, 58 system, 40 rollback.
    let classes = ["08", "28", "53", "57", "58", "40"];
    classes.iter().any(|class| code.starts_with(class))
        || is_fatal(db)
        || *db.code() == SqlState::LOCK_NOT_AVAILABLE
        || is_read_only(db)
        || *db.code() == SqlState::INVALID_CATALOG_NAME
}

/// The server does not take writes (any more): it stands by, recovers, or was demoted.
fn is_read_only(db: &DbError) -> bool {
    *db.code() == SqlState::READ_ONLY_SQL_TRANSACTION
}

fn is_fatal(db: &DbError) -> bool {
    matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// Whether another connection should be used from now on.
pub(super) fn breaks_connection(error: &Error) -> bool {
    match error.as_db_error() {
        None => true,
        Some(db) => {
            // A changed table makes prepared statements useless; a new connection has none.
            let changed = *db.code() == SqlState::FEATURE_NOT_SUPPORTED
                || *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME;
            is_fatal(db) || is_read_only(db) || changed
        }
    }
}

/// An error after a commit was handed to the connection. `answered` says that a row had come: the
/// server sends rows before it commits, so without one it surely has not.
pub(super) fn of_commit(error: &Error, answered: bool) -> Failure {
    let unknown = || StoreError::OutcomeUnknown(Fault::cause(Fault::of(error).0));
    let Some(db) = error.as_db_error() else { return Failure::Final(unknown()) };
    if is_fatal(db) && answered || db.parsed_severity() == Some(Severity::Panic) {
        return Failure::Final(unknown());
    }
    // The first: somebody has ended this connection, and others may be had.
    let again = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
    ];
    if again.contains(db.code()) {
        return Failure::Again(of(error));
    }
    if [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(db.code()) {
        return Failure::Stopped(of(error));
    }
    Failure::Final(refusal(db).unwrap_or_else(|| of(error)))
}

/// What the commit function raised: `write:found` or `write:index`, counted from one.
fn refusal(db: &DbError) -> Option<StoreError> {
    let (write, rest) = db.message().split_once(':')?;
    let write = write.parse::<usize>().ok()?.checked_sub(1)?;
    match db.code().code() {
        "OR001" => Some(StoreError::Precondition { write, found: rest.parse::<u64>().ok() }),
        "OR002" => Some(StoreError::Unique { write, index: rest.to_owned() }),
        _ => None,
    }
}
