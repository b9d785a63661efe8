//! The suite of the queue port on PostgreSQL, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::queue::Opened;
use outrigger_kernel::ManualClock;
use outrigger_ports::store::Store;
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;

use crate::many_tasks;
use crate::support::{APPLY, queues, start};

async fn open() -> Opened {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    let options = PostgresOptions { write_connections: 4, ..super::patient(url) };
    let clock = Arc::new(ManualClock::at(start()));
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        stores.push(Arc::new(PostgresStore::connect(&options, clock.clone()).await.unwrap()));
    }
    stores[0].migrate(APPLY).await.unwrap();
    queues(&stores, clock, ())
}

outrigger_conformance::queue_suite!(open, manual);

async fn empty() -> (Arc<dyn Store>, PostgresOptions) {
    let (store, options) = super::store().await;
    (Arc::new(store), options)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_cost_the_same_however_many_tasks_wait() {
    let said = many_tasks::cost_the_same(empty().await.0, empty().await.0).await;
    println!("PostgreSQL, {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_tasks_leave_nothing_behind() {
    let (store, options) = empty().await;
    let session = super::session(&options).await;
    let one = async |sql: &str| session.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    let rows = "select (select count(*) from outrigger_documents)
        + (select count(*) from outrigger_index_entries)
        + (select count(*) from outrigger_unique_entries)";
    let size = "select pg_database_size(current_database())";
    let (rows, bytes) = (async || one(rows).await, async || one(size).await);
    let said = many_tasks::leave_nothing(store, rows, bytes).await;
    println!("PostgreSQL, {said}");
}
