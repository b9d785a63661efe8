//! The suite of the store port on PostgreSQL, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;
use outrigger_ports::store::Store;
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;

use crate::support::APPLY;

async fn open(clock: Arc<dyn Clock>) -> Opened {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    let options = PostgresOptions { write_connections: 6, ..super::patient(url) };
    let mut handles: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        let store = PostgresStore::connect(&options, Arc::clone(&clock)).await.unwrap();
        handles.push(Arc::new(store));
    }
    handles[0].migrate(APPLY).await.unwrap();
    Opened::many(handles, ())
}

outrigger_conformance::store_suite!(open, model = |clock| Arc::new(MemoryStore::new(clock)));
