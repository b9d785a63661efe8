//! Commits a batch: one statement, one round trip, one transaction.
//!
//! # Why the preconditions hold at the instant of the commit
//!
//! Every transaction that changes or relies on a key first takes the guard of that key and keeps it
//! until after its commit (strict two-phase locking), so all commits are as if one came after the
//! other. The guard of a key has two forms:
//!
//! - While a row with the key is there, live or expired, the guard is an advisory lock on the hash
//!   of the key: shared for a check, exclusive for everything else. A check writes nothing, so many
//!   commits can check one hot document beside each other.
//! - While no row is there, the guard is the key's place in the primary key: who puts a row there
//!   makes all others wait until the end of the transaction. A batch that relies on the absence of
//!   a document puts a row in and deletes it again before it commits.
//!
//! The function takes the advisory locks of all its keys first. No row of a key can then be changed
//! or removed by others, and one can only appear, by a create (below), which takes no advisory
//! lock; then the function's own insert meets it, waits for its outcome and looks again. Isolation
//! is read committed: each statement of the function sees what was committed before it began, and
//! an advisory lock is released only after its transaction is visible to all. So what is read under
//! a guard is the latest, and stays so. A purge tries the advisory locks and leaves out what
//! somebody is at, for an expired row is part of what "absent" relies on.
//!
//! # Why there is no deadlock
//!
//! Locks are taken in one order: advisory locks by key, then places in the primary key by key, then
//! unique values by value. (Two keys with one hash, or a taken-over unique value of an expired
//! document, could still meet; the server then ends one of the two and it is tried again.)
//!
//! A put of one document that must be absent goes another way first: `creates.rs`.
//!
//! # What is known afterwards
//!
//! Until the statement is handed to an open connection, nothing was changed. From then on a lost
//! connection leaves the outcome unknown, unless the server said why it ended it before it sent a
//! row: it sends the row first and commits then.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, StoreError};
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::connect::Conn;
use super::encode::Arrays;
use super::error::{self, Failure};
use super::lane::backoff;
use super::lanes::next_salt;
use super::pool::Pool;
use super::statements::Which;
use crate::fault::Fault;

/// Most tries of a batch that the server ended to resolve a conflict.
const TRIES: u32 = 8;

/// Commits the batch.
pub(super) async fn commit(
    pool: &Pool,
    patience: Duration,
    batch: &Batch,
    now: Timestamp,
) -> Result<Vec<u64>, StoreError> {
    if batch.writes.is_empty() {
        return Ok(Vec::new());
    }
    let arrays = Arrays::of(batch);
    let mut tries = 0;
    loop {
        match by_function(pool, patience, &arrays, now).await {
            Ok(versions) => return Ok(versions),
            Err(Failure::Final(error) | Failure::Stopped(error)) => return Err(error),
            Err(Failure::Again(error)) => {
                tries += 1;
                if tries == TRIES {
                    return Err(error);
                }
                sleep(backoff(0, next_salt()) / 10 * tries).await;
            }
        }
    }
}

async fn by_function(
    pool: &Pool,
    patience: Duration,
    arrays: &Arrays<'_>,
    now: Timestamp,
) -> Result<Vec<u64>, Failure> {
    let now = now.as_micros();
    let params: [&(dyn ToSql + Sync); 14] = [
        &now,
        &arrays.kinds,
        &arrays.lock_order,
        &arrays.collections,
        &arrays.ids,
        &arrays.wants,
        &arrays.bodies,
        &arrays.expiries,
        &arrays.entry_from,
        &arrays.entry_to,
        &arrays.entries.names,
        &arrays.entries.values,
        &arrays.entries.uniques,
        &arrays.versions,
    ];
    let internal = |what: &str| Failure::Final(StoreError::Internal(Fault::cause(what)));
    let rows = match arrays.versions.iter().any(Option::is_some) {
        true => send(pool, patience, Which::Restore, &params).await?,
        false => send(pool, patience, Which::Commit, &params[..13]).await?,
    };
    let row = rows.first().ok_or_else(|| internal("the commit function answered nothing"))?;
    let versions: Vec<i64> = row.try_get(0).map_err(|error| internal(&error.to_string()))?;
    if let [-1, write, found] = versions[..] {
        let write = usize::try_from(write - 1).unwrap_or_default();
        return Err(Failure::Final(StoreError::Precondition {
            write,
            found: u64::try_from(found).ok(),
        }));
    }
    Ok(versions.into_iter().map(i64::cast_unsigned).collect())
}

/// Runs a statement that is a transaction of its own and counts what it did.
pub(super) async fn run(
    pool: &Pool,
    patience: Duration,
    which: Which,
    params: &[&(dyn ToSql + Sync)],
) -> Result<usize, StoreError> {
    match send(pool, patience, which, params).await {
        Ok(rows) => {
            let count: i64 = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
            Ok(usize::try_from(count).unwrap_or_default())
        }
        Err(Failure::Again(error) | Failure::Stopped(error) | Failure::Final(error)) => Err(error),
    }
}

/// Sends the statement that is the whole transaction and waits for its commit; gives its rows.
pub(super) async fn send(
    pool: &Pool,
    patience: Duration,
    which: Which,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Failure> {
    let lease = pool.acquire().await.map_err(Failure::Final)?;
    let conn = lease.conn();
    let statement = match conn.prepared(which) {
        Some(statement) => statement,
        None => prepare(conn, patience, which).await.map_err(Failure::Final)?,
    };
    if !conn.is_open() {
        let cause = Fault::cause("the connection was lost");
        return Err(Failure::Again(StoreError::Unavailable(cause)));
    }
    let mut answered = false;
    let sending = async {
        let stream = conn.client.query_raw(statement, params.iter().copied()).await?;
        let mut stream = pin!(stream);
        let mut rows = Vec::new();
        // To the end: the commit is done when the stream says so.
        while let Some(row) = stream.try_next().await? {
            answered = true;
            rows.push(row);
        }
        Ok::<Vec<Row>, tokio_postgres::Error>(rows)
    };
    match timeout(patience, sending).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => {
            cut_if_broken(conn, &error);
            Err(error::of_commit(&error, answered))
        }
        Err(_) => {
            conn.cut();
            let cause = Fault::cause(format!("no answer within {patience:?}"));
            Err(Failure::Final(StoreError::OutcomeUnknown(cause)))
        }
    }
}

/// Prepares the statement; nothing is sent that could change anything.
async fn prepare(conn: &Conn, patience: Duration, which: Which) -> Result<&Statement, StoreError> {
    match timeout(patience, conn.statement(which)).await {
        Ok(Ok(statement)) => Ok(statement),
        Ok(Err(error)) => {
            cut_if_broken(conn, &error);
            Err(error::of(&error))
        }
        Err(_) => {
            conn.cut();
            Err(StoreError::Timeout)
        }
    }
}

fn cut_if_broken(conn: &Conn, error: &tokio_postgres::Error) {
    if error::breaks_connection(error) {
        conn.cut();
    }
}
