//! Every statement of the PostgreSQL store walks one range of one index, on some thousands of
//! documents, whether or not the server has statistics.

use std::sync::Arc;

use outrigger_kernel::{Clock, SystemClock};
use outrigger_ports::secrets::fixed;
use outrigger_ports::store::{MigrateMode, Store};
use outrigger_testkit::Postgres;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connect::Connector;
use super::statements::Which;
use super::{PostgresOptions, PostgresStore};

const FILL: &str = r"
    INSERT INTO outrigger_documents (version, expires_at, collection, id, body)
    SELECT 1, CASE WHEN n % 3 = 0 THEN 1000000 END, 'rec.things', 'id' || n, '{}'
    FROM generate_series(1, 5000) n;
    INSERT INTO outrigger_index_entries SELECT 'rec.things', 'status', ('s' || n % 7)::bytea, 'id' || n
    FROM generate_series(1, 5000) n;
    INSERT INTO outrigger_unique_entries SELECT 'rec.things', 'name', ('n' || n)::bytea, 'id' || n, NULL
    FROM generate_series(1, 5000) n;";

async fn explain(client: &Client, which: Which, arguments: &str) -> String {
    client.batch_execute(&format!("PREPARE it AS {}", which.sql())).await.unwrap();
    let lines = client.simple_query(&format!("EXPLAIN EXECUTE it ({arguments})")).await.unwrap();
    client.batch_execute("DEALLOCATE it").await.unwrap();
    let line = |line: &SimpleQueryMessage| match line {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    lines.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

async fn check(client: &Client) {
    let by_key = "(collection = $1) AND (id = $2)";
    let by_id = "(collection = $1) AND (id >= $2) AND (id < $3)";
    let by_index = "(collection = $1) AND (name = $2) AND \
                    (ROW(value, id) > ROW($3, $4)) AND (ROW(value, id) < ROW($5, $6))";
    let by_unique = "(collection = $1) AND (name = $2) AND (value >= $3) AND (value <= $5)";
    let page = "'rec.things', 'id2', 'id3', 0, 10";
    let place = r"'rec.things', 'status', '\x73', 'id2', '\x74', '', 0, 10";
    for (which, arguments, condition) in [
        (Which::Get, "'rec.things', 'id7'", by_key),
        (Which::GetMany, "'{a,b}', '{c,d}'", "(collection = k.collection) AND (id = k.id)"),
        (Which::ById, page, by_id),
        (Which::ByIdDescending, page, by_id),
        (Which::ByIndex, place, by_index),
        (Which::ByIndexDescending, place, by_index),
        (Which::ByUnique, place, by_unique),
        (Which::ByUniqueDescending, place, by_unique),
        (Which::Scan, "'rec.things', 'id3', 0, 10", "(ROW(collection, id) > ROW($1, $2))"),
    ] {
        let plan = explain(client, which, arguments).await;
        if matches!(which, Which::ByIndex | Which::ByUniqueDescending) {
            // The document of an entry is found by its whole key.
            let lookup = "Index Cond: ((collection = $1) AND (id = e.id))";
            assert!(plan.contains(lookup), "{which:?}\n{plan}");
        }
        let plain = plan.replace("($1)::text", "$1").replace("($2)::text", "$2");
        assert!(plain.contains(condition), "{which:?}\n{plan}");
        for bad in ["Seq Scan", "Sort", "Hash", "Bitmap", "Materialize"] {
            assert!(!plan.contains(bad), "{which:?}\n{plan}");
        }
    }
}

#[test]
fn every_read_walks_one_range_of_one_index() {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = PostgresOptions::at(url.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = PostgresStore::connect(&options, clock).await.unwrap();
        let wait = std::time::Duration::ZERO;
        store.migrate(MigrateMode::Apply { wait }).await.unwrap();
        let connector = Connector::new(&fixed(url), &options).unwrap();
        let (conn, driver) = connector.open().await.unwrap();
        tokio::spawn(driver);
        check(&conn.client).await;
        conn.client.batch_execute(FILL).await.unwrap();
        check(&conn.client).await;
        conn.client.batch_execute("ANALYZE").await.unwrap();
        check(&conn.client).await;
    });
}
