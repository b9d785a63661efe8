//! PostgreSQL.

mod faults;
mod locks;
mod migrations;
mod queue;
mod suite;
mod tls;

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

/// A migrated store on a database of its own, and how it was reached.
async fn store() -> (PostgresStore, PostgresOptions) {
    let options = PostgresOptions::at(Postgres::shared().unwrap().url_of(&fresh()));
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
