//! The suite of the queue port on SQLite, with two handles as of two processes that share nothing.

use std::sync::Arc;

use outrigger_conformance::queue::Opened;
use outrigger_kernel::ManualClock;
use outrigger_ports::store::Store;
use outrigger_sql::{SqliteOptions, SqliteStore};
use outrigger_testkit::TempDir;

use crate::support::{APPLY, queues, start};

async fn open() -> Opened {
    let dir = TempDir::new("queue").unwrap();
    let clock = Arc::new(ManualClock::at(start()));
    let options = SqliteOptions::at(dir.join("data/test.db"));
    let store = SqliteStore::open(&options, clock.clone()).unwrap();
    store.migrate(APPLY).await.unwrap();
    let second = store.for_thread().unwrap();
    queues(&[Arc::new(store), Arc::new(second)], clock, dir)
}

outrigger_conformance::queue_suite!(open, manual);
