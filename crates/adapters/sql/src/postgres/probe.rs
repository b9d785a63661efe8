//! What `doctor` and the health check learn of a PostgreSQL database.

use std::time::Instant;

use outrigger_kernel::Timestamp;
use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::store::StoreError;
use tokio_postgres::Row;

use super::PostgresOptions;
use super::lanes::Lanes;
use crate::fault::Fault;
use crate::migrations::{self, POSTGRES};

/// A difference of the clocks above this is a finding, in milliseconds.
const SKEW_MS: i64 = 1000;

const FACTS: &str = "SELECT current_setting('server_version'), \
     current_setting('max_connections')::bigint \
       - current_setting('superuser_reserved_connections')::bigint, \
     (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND application_name = $1), \
     pg_is_in_recovery(), \
     coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), \
     (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
     coalesce(has_table_privilege(to_regclass('outrigger_documents'), 'INSERT, UPDATE, DELETE'), false), \
     current_setting('synchronous_commit'), current_setting('fsync'), \
     to_regclass('outrigger_migrations') IS NOT NULL";

#[expect(clippy::struct_excessive_bools, reason = "each is what the server says of itself")]
struct Facts {
    version: String,
    connections_max: i64,
    connections: i64,
    recovery: bool,
    tls: bool,
    clock: Timestamp,
    can_write: bool,
    synchronous_commit: String,
    fsync: String,
    has_migrations: bool,
}

impl Facts {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            version: row.try_get(0)?,
            connections_max: row.try_get(1)?,
            connections: row.try_get(2)?,
            recovery: row.try_get(3)?,
            tls: row.try_get(4)?,
            clock: Timestamp::from_micros(row.try_get(5)?),
            can_write: row.try_get(6)?,
            synchronous_commit: row.try_get(7)?,
            fsync: row.try_get(8)?,
            has_migrations: row.try_get(9)?,
        })
    }
}

/// What the server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Everything.
    Store,
    /// Lists that may lag.
    Replica,
}

/// Asks the server. `private` says that nobody in between can read along.
pub(super) async fn probe(
    lanes: &Lanes,
    options: &PostgresOptions,
    (purpose, private): (Purpose, bool),
    now: impl Fn() -> Timestamp,
) -> Result<Probed, StoreError> {
    let started = Instant::now();
    lanes.ask("SELECT 1", &[]).await?;
    let latency = started.elapsed();
    let before = now();
    let rows = lanes.ask(FACTS, &[&options.application_name]).await?;
    let after = now();
    let internal =
        |error: tokio_postgres::Error| StoreError::Internal(Fault::cause(Fault::of(&error).0));
    let row = rows
        .first()
        .ok_or_else(|| StoreError::Internal(Fault::cause("the server answered nothing")))?;
    let facts = Facts::of(row).map_err(internal)?;
    // The server read its clock somewhere between; the nearer end is the least difference.
    let skew_ms = if facts.clock < before {
        -i64::try_from(before.since(facts.clock).as_millis()).unwrap_or(i64::MAX)
    } else {
        i64::try_from(facts.clock.since(after).as_millis()).unwrap_or(i64::MAX)
    };
    let mut findings = findings(&facts, private, skew_ms);
    if purpose == Purpose::Store {
        findings.extend(findings_of_store(&facts, options));
    }
    findings.extend(missing_migrations(lanes, facts.has_migrations).await?);
    Ok(Probed {
        latency,
        version: format!("PostgreSQL {}", facts.version),
        facts: vec![
            ("max_connections", facts.connections_max.to_string()),
            ("connections", facts.connections.to_string()),
            ("in_recovery", facts.recovery.to_string()),
            ("tls", facts.tls.to_string()),
            ("clock_difference_ms", skew_ms.to_string()),
            ("can_write", facts.can_write.to_string()),
            ("synchronous_commit", facts.synchronous_commit),
            ("fsync", facts.fsync),
        ],
        findings,
    })
}

fn findings(facts: &Facts, private: bool, skew_ms: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding { severity, message });
    if skew_ms.abs() > SKEW_MS {
        find(
            Severity::Warning,
            format!("the server's clock differs by {skew_ms} ms; synchronise both clocks"),
        );
    }
    if !private && !facts.tls {
        find(
            Severity::Error,
            "the connection to another machine is not encrypted; use sslmode=verify-full"
                .to_owned(),
        );
    }
    findings
}

fn findings_of_store(facts: &Facts, options: &PostgresOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding { severity, message });
    let wanted = options.handles * (options.read_connections + options.write_connections);
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    let most = facts.connections_max;
    if wanted > most {
        find(
            Severity::Error,
            format!(
                "this process may open {wanted} connections, the server allows {most}; lower the \
                 pool sizes or raise max_connections"
            ),
        );
    } else if wanted > most / 2 {
        find(
            Severity::Warning,
            format!(
                "this process may open {wanted} of the server's {most} connections; a second one \
                 may not get as many"
            ),
        );
    }
    if facts.recovery {
        find(
            Severity::Error,
            "the server is in recovery (a replica) and takes no writes; use the primary's address"
                .to_owned(),
        );
    }
    if facts.has_migrations && !facts.can_write {
        find(
            Severity::Error,
            "the user may not write to outrigger_documents; grant it insert, update and delete"
                .to_owned(),
        );
    }
    if facts.fsync == "off" {
        find(
            Severity::Error,
            "fsync is off on the server: acknowledged writes are lost when it crashes".to_owned(),
        );
    }
    findings
}

async fn missing_migrations(lanes: &Lanes, has_table: bool) -> Result<Option<Finding>, StoreError> {
    let mut applied = Vec::new();
    if has_table {
        for row in &lanes.ask("SELECT name, checksum FROM outrigger_migrations", &[]).await? {
            applied.push((row.try_get(0).unwrap_or_default(), row.try_get(1).unwrap_or_default()));
        }
    }
    let message = match migrations::compare(POSTGRES, &applied) {
        Err(error) => error.to_string(),
        Ok(list) => match list.iter().find(|migration| !migration.applied) {
            None => return Ok(None),
            Some(missing) => {
                format!("migration {} is missing; run `outrigger migrate apply`", missing.name)
            }
        },
    };
    Ok(Some(Finding { severity: Severity::Error, message }))
}
