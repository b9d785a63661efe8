//! The database that `database.url` names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_kernel::{Clock, SystemClock};
use outrigger_ports::store::Store;
use outrigger_sql::{PostgresOptions, PostgresReplica, PostgresStore, SqliteOptions, SqliteStore};

use crate::config::Config;

/// The forms of a URL.
const KNOWN: &str =
    "sqlite://PATH, postgres://…, dynamodb://REGION/TABLE or mongodb://HOST/DATABASE";

/// What the threads of a process have in common of their database.
#[derive(Debug)]
pub(crate) enum Database {
    /// One file with one writer.
    Sqlite(SqliteStore),
    /// A server, to which each thread has connections of its own.
    Postgres,
    /// A table, for which each thread has a client of its own.
    #[cfg(feature = "dynamodb")]
    DynamoDb,
    /// A database of a replica set, for which each thread has a client of its own.
    #[cfg(feature = "mongodb")]
    MongoDb,
}

impl Database {
    /// Opens what is one per process.
    ///
    /// # Errors
    /// Says what is wrong with the URL, or that this binary has not got what it needs.
    pub(crate) fn open(config: &Config, clock: &Arc<dyn Clock>) -> Result<Self> {
        match config.database.url.expose().split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => {
                let options = SqliteOptions::at(Path::new(path));
                let store = SqliteStore::open(&options, clock.clone()).context("database.url")?;
                Ok(Self::Sqlite(store))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            #[cfg(feature = "dynamodb")]
            Some(("dynamodb", _)) => Ok(Self::DynamoDb),
            #[cfg(feature = "mongodb")]
            Some(("mongodb" | "mongodb+srv", _)) => Ok(Self::MongoDb),
            #[cfg(not(feature = "dynamodb"))]
            Some(("dynamodb", _)) => Err(built_without("dynamodb")),
            #[cfg(not(feature = "mongodb"))]
            Some(("mongodb" | "mongodb+srv", _)) => Err(built_without("mongodb")),
            Some((scheme, _)) => {
                bail!("database.url: {scheme}:// is no database that is known; use {KNOWN}")
            }
            None => bail!("database.url: expected {KNOWN}"),
        }
    }

    /// The store for the calling thread, on its runtime.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub(crate) async fn connect(
        &self,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Store>> {
        match self {
            Self::Sqlite(store) => Ok(Arc::new(store.for_thread().context("database.url")?)),
            Self::Postgres => {
                let options = postgres_options(config);
                let store =
                    PostgresStore::connect(&options, clock).await.context("database.url")?;
                Ok(Arc::new(store))
            }
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb => dynamodb(config, clock).await,
            #[cfg(feature = "mongodb")]
            Self::MongoDb => mongodb(config, clock).await,
        }
    }
}

/// The file of the database, if it is SQLite.
pub(crate) fn sqlite_path(config: &Config) -> Option<&Path> {
    let path = config.database.url.expose().strip_prefix("sqlite://")?;
    (!path.is_empty()).then(|| Path::new(path))
}

/// The kind of the database, as the scheme of its URL names it.
pub(crate) fn kind(config: &Config) -> &str {
    config.database.url.expose().split_once("://").map_or("", |(scheme, _)| scheme)
}

/// The database alone, whatever becomes of other backends.
///
/// # Errors
/// Names the setting whose database cannot be used.
pub(crate) async fn store(config: &Config) -> Result<Arc<dyn Store>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(config, &clock)?;
    database.connect(config, clock).await
}

#[cfg(feature = "dynamodb")]
async fn dynamodb(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>> {
    use outrigger_dynamodb::{DynamoOptions, DynamoStore};
    let random = Arc::new(outrigger_kernel::SystemRandom);
    let patience = Duration::from_millis(config.database.statement_timeout_ms);
    let options = DynamoOptions { patience, ..DynamoOptions::at(config.database.url.expose()) };
    let store = DynamoStore::connect(&options, clock, random).await.context("database.url")?;
    Ok(Arc::new(store))
}

#[cfg(feature = "mongodb")]
async fn mongodb(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>> {
    use outrigger_mongodb::{MongoOptions, MongoStore};
    let random = Arc::new(outrigger_kernel::SystemRandom);
    let patience = Duration::from_millis(config.database.statement_timeout_ms);
    let options = MongoOptions { patience, ..MongoOptions::following(config.database.url.live()) };
    let store = MongoStore::connect(&options, clock, random).await.context("database.url")?;
    Ok(Arc::new(store))
}

#[cfg(not(all(feature = "dynamodb", feature = "mongodb")))]
fn built_without(feature: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "database.url: this binary is built without {feature}: use the released image, or build it with `--features {feature}`"
    )
}

fn postgres_options(config: &Config) -> PostgresOptions {
    let database = &config.database;
    let threads = config.threads();
    let readonly_url = &database.readonly_url;
    PostgresOptions {
        url: database.url.live(),
        readonly_url: readonly_url.is_set().then(|| readonly_url.live()),
        read_connections: database.read_connections,
        write_connections: database.write_connections.div_ceil(threads),
        statement_timeout: Duration::from_millis(database.statement_timeout_ms),
        handles: config.database_handles(),
        ..PostgresOptions::default()
    }
}

/// The replica for lists, to be asked how it is; with `must_open` it must be there now.
///
/// # Errors
/// Names the setting whose database cannot be used.
pub(crate) async fn replica(
    config: &Config,
    clock: Arc<dyn Clock>,
    must_open: bool,
) -> Result<Option<PostgresReplica>> {
    if !config.database.url.expose().starts_with("postgres") {
        return Ok(None);
    }
    let replica = PostgresReplica::connect(&postgres_options(config), clock, must_open).await;
    replica.context("database.readonly_url")
}
