//! The suite of the queue port on SQLite, with two handles as of two processes that share nothing.

use std::sync::Arc;

use outrigger_conformance::queue::Opened;
use outrigger_kernel::ManualClock;
use outrigger_ports::store::Store;
use outrigger_sql::{SqliteOptions, SqliteStore};
use outrigger_testkit::TempDir;

use crate::many_tasks;
use crate::support::{APPLY, clock, queues, start};

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

async fn empty() -> (Arc<dyn Store>, TempDir) {
    let dir = TempDir::new("queue").unwrap();
    let options = SqliteOptions::at(dir.join("data/test.db"));
    let store = SqliteStore::open(&options, clock()).unwrap();
    store.migrate(APPLY).await.unwrap();
    (Arc::new(store), dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_cost_the_same_however_many_tasks_wait() {
    let ((few, _few_dir), (many, _many_dir)) = (empty().await, empty().await);
    println!("SQLite, {}", many_tasks::cost_the_same(few, many).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_tasks_leave_nothing_behind() {
    let (store, dir) = empty().await;
    let file = rusqlite::Connection::open(dir.join("data/test.db")).unwrap();
    let one = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let rows = "select (select count(*) from documents) + (select count(*) from index_entries)";
    let used = "select (select page_count from pragma_page_count)
        - (select freelist_count from pragma_freelist_count)";
    let (rows, bytes) = (async || one(rows), async || one(used) * 4_096);
    println!("SQLite, {}", many_tasks::leave_nothing(store, rows, bytes).await);
}
