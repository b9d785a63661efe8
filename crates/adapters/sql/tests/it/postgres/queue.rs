//! The suite of the queue port on PostgreSQL, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::queue::Opened;
use outrigger_kernel::ManualClock;
use outrigger_ports::store::Store;
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;

use crate::support::{APPLY, queues, start};

async fn open() -> Opened {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    let options = PostgresOptions { write_connections: 4, ..PostgresOptions::at(url) };
    let clock = Arc::new(ManualClock::at(start()));
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        stores.push(Arc::new(PostgresStore::connect(&options, clock.clone()).await.unwrap()));
    }
    stores[0].migrate(APPLY).await.unwrap();
    queues(&stores, clock, ())
}

outrigger_conformance::queue_suite!(open, manual);
