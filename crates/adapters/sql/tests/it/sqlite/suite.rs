//! The suite of the store port on SQLite, with two handles as on two cores.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;
use outrigger_ports::store::Store;
use outrigger_sql::{SqliteOptions, SqliteStore};
use outrigger_testkit::TempDir;

use crate::support::APPLY;

async fn open(clock: Arc<dyn Clock>) -> Opened {
    let dir = TempDir::new("sqlite").unwrap();
    let store = SqliteStore::open(&SqliteOptions::at(dir.join("data/test.db")), clock).unwrap();
    store.migrate(APPLY).await.unwrap();
    let second = store.for_thread().unwrap();
    Opened::many(vec![Arc::new(store), Arc::new(second)], dir)
}

outrigger_conformance::store_suite!(open, model = |clock| Arc::new(MemoryStore::new(clock)));
