//! PostgreSQL.

mod faults;
mod locks;
mod migrations;
mod queue;
mod suite;
mod tls;

use std::time::Duration;

use outrigger_ports::store::Store;
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;
use tokio_postgres::{Client, NoTls};

use crate::support::{APPLY, clock};

/// The name of a new database in the shared server.
fn fresh() -> String {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

/// Options for this database that wait for whatever takes long on a busy machine.
fn patient(url: String) -> PostgresOptions {
    let minute = Duration::from_secs(60);
    PostgresOptions {
        statement_timeout: minute,
        lock_timeout: minute,
        connect_timeout: minute,
        acquire_timeout: minute,
        ..PostgresOptions::at(url)
    }
}

/// A migrated store on a database of its own, and how it was reached.
async fn store() -> (PostgresStore, PostgresOptions) {
    let options = patient(Postgres::shared().unwrap().url_of(&fresh()));
    (migrated(&options).await, options)
}

async fn migrated(options: &PostgresOptions) -> PostgresStore {
    let store = PostgresStore::connect(options, clock()).await.unwrap();
    store.migrate(APPLY).await.unwrap();
    store
}

/// A session of one's own.
async fn session(options: &PostgresOptions) -> Client {
    use outrigger_kernel::secret::ExposeSecret;
    let (client, connection) =
        tokio_postgres::connect(options.url.current().expose_secret(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
