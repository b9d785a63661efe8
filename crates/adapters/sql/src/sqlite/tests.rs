//! Every read of the SQLite store walks one range of one index, on some thousands of documents.

use bytes::Bytes;
use outrigger_kernel::Timestamp;
use outrigger_ports::index_value;
use outrigger_ports::store::{
    Batch, Entry, Key, MigrateMode, Order, Position, Precondition, Query, Write,
};
use outrigger_testkit::TempDir;
use rusqlite::{Connection, ToSql};

use super::{SqliteOptions, commit, migrate, open, query};

const DOCUMENTS: usize = 4000;

fn filled(options: &SqliteOptions) -> Connection {
    let mut conn = open::writer(options).unwrap();
    let now = Timestamp::from_secs(1);
    let wait = std::time::Duration::ZERO;
    migrate::migrate(&mut conn, MigrateMode::Apply { wait }, now).unwrap();
    conn.execute_batch("BEGIN").unwrap();
    for n in 0..DOCUMENTS {
        let entry = |index: &str, value: String, unique| Entry {
            index: index.to_owned(),
            value: index_value::of_str(&value),
            unique,
        };
        let write = Write::Put {
            key: Key::new("rec.things", format!("id{n:06}")),
            body: Bytes::from_static(b"{}"),
            entries: vec![
                entry("status", format!("s{}", n % 7), false),
                entry("name", format!("n{n}"), true),
            ],
            expires_at: (n % 3 == 0).then(|| Timestamp::from_secs(1_000_000)),
            precondition: Precondition::Absent,
        };
        commit::apply(&conn, &Batch::of([write]), now).unwrap();
    }
    conn.execute_batch("COMMIT").unwrap();
    conn
}

fn explain(conn: &Connection, sql: &str) -> String {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = explain.parameter_count();
    let nulls: Vec<&dyn ToSql> = (0..count).map(|_| &0_i64 as &dyn ToSql).collect();
    let lines = explain.query_map(&nulls[..], |row| row.get::<_, String>(3)).unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_read_walks_one_range_of_one_index() {
    let dir = TempDir::new("sqlite").unwrap();
    let options = SqliteOptions::at(dir.join("t.db"));
    let conn = filled(&options);
    let range = "AND (value,id)>(?,?) AND (value,id)<(?,?)";
    let expected = [
        (Order::Id, "USING INDEX documents_key (collection=? AND id>? AND id<?)".to_owned()),
        (
            Order::Index("status"),
            format!("SEARCH e USING PRIMARY KEY (collection=? AND name=? {range})"),
        ),
        (
            Order::Unique("name"),
            format!("SEARCH e USING PRIMARY KEY (collection=? AND name=? {range})"),
        ),
    ];
    for (order, index) in expected {
        let middle = if order == Order::Unique("name") { "n2" } else { "s3" };
        for descending in [false, true] {
            let query = Query {
                collection: "rec.things",
                order,
                range: index_value::all(),
                descending,
                after: Some(Position { value: index_value::of_str(middle), id: "id002000".into() }),
                limit: 10,
                may_lag: false,
            };
            let list = query::List::of(&query);
            let plan = explain(&conn, list.sql(descending));
            assert!(plan.contains(&index), "{order:?} {descending}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
            let now = Timestamp::from_secs(1);
            let found = list.run(&conn, "rec.things", descending, 10, now).unwrap();
            assert_eq!(found.len(), 10);
        }
    }
    let plan = explain(&conn, query::SCAN);
    assert!(plan.contains("USING INDEX documents_key ((collection,id)>(?,?))"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    let plan = explain(&conn, commit::EXPIRED);
    assert!(
        plan.contains("USING INDEX documents_expiry (expires_at>? AND expires_at<?)"),
        "{plan}"
    );
}
