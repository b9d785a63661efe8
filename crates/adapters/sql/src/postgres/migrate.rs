//! Brings the schema of a PostgreSQL database up to what this binary needs, one process at a time.

use std::time::Duration;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{MigrateMode, Migration, StoreError};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::connect::{Conn, Connector};
use super::error;
use crate::fault::Fault;
use crate::migrations::{self, POSTGRES};

/// Under this number a migrating process holds the database's advisory lock.
const LOCK: i64 = 0x6f75_7472_6967_6772;
/// How often a process asks for the lock.
const POLL: Duration = Duration::from_millis(50);
/// Longest time that one script may take.
const SCRIPT_TIMEOUT_MS: u64 = 15 * 60 * 1000;

/// Says or does what is missing, on a connection of its own.
pub(super) async fn migrate(
    connector: &Connector,
    mode: MigrateMode,
    now: Timestamp,
) -> Result<Vec<Migration>, StoreError> {
    let (conn, driver) = connector.open().await?;
    let running = tokio::spawn(driver);
    let done = match mode {
        MigrateMode::Plan => plan(&conn.client).await,
        MigrateMode::Apply { wait } => apply(&conn, wait, now).await,
    };
    // Ends the session, and with it the lock.
    drop(conn);
    let _ = running.await;
    done
}

async fn plan(client: &Client) -> Result<Vec<Migration>, StoreError> {
    migrations::compare(POSTGRES, &applied(client).await.map_err(|error| error::of(&error))?)
}

async fn apply(conn: &Conn, wait: Duration, now: Timestamp) -> Result<Vec<Migration>, StoreError> {
    let client = &conn.client;
    lock(client, wait).await?;
    let failed = |error: tokio_postgres::Error| error::of(&error);
    client
        .batch_execute(&format!(
            "SET statement_timeout = {SCRIPT_TIMEOUT_MS}; SET client_min_messages = warning; \
             CREATE TABLE IF NOT EXISTS outrigger_migrations (\
               name text PRIMARY KEY, checksum text NOT NULL, applied_at text NOT NULL)"
        ))
        .await
        .map_err(failed)?;
    let mut list = plan(client).await?;
    for (script, migration) in POSTGRES.iter().zip(&mut list) {
        if migration.applied {
            continue;
        }
        // One text is one transaction; the values are of this binary and hold no quote.
        let text = format!(
            "BEGIN; {} ; INSERT INTO outrigger_migrations VALUES ('{}', '{}', '{now}'); COMMIT",
            script.sql,
            script.name,
            script.checksum(),
        );
        client.batch_execute(&text).await.map_err(failed)?;
        migration.applied = true;
    }
    Ok(list)
}

/// Waits for the right to migrate; it ends with the session.
async fn lock(client: &Client, wait: Duration) -> Result<(), StoreError> {
    let deadline = Instant::now() + wait;
    loop {
        let row = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK])
            .await
            .map_err(|error| error::of(&error))?;
        if row.try_get(0).unwrap_or(false) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(StoreError::Unavailable(Fault::cause(format!(
                "another process is migrating this database and was not done within {wait:?}; \
                 try again when it is"
            ))));
        }
        sleep(POLL.min(deadline - Instant::now())).await;
    }
}

/// What the database has, as (name, checksum).
async fn applied(client: &Client) -> Result<Vec<(String, String)>, tokio_postgres::Error> {
    let row =
        client.query_one("SELECT to_regclass('outrigger_migrations') IS NOT NULL", &[]).await?;
    if !row.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    client
        .query("SELECT name, checksum FROM outrigger_migrations ORDER BY name", &[])
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}
