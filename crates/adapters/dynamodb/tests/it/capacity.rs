//! What calls cost, as the metrics count it and the guide says it.

use std::sync::Arc;

use bytes::Bytes;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_kernel::SystemRandom;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, Query, Store, Write};
use outrigger_testkit::DynamoDb;

use crate::support::{APPLY, by_status, clock, key, put};

struct Bed {
    store: DynamoStore,
    metrics: PrometheusHandle,
}

impl Bed {
    async fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let options = DynamoOptions::at(DynamoDb::shared().unwrap().fresh_url());
        let metrics = recorder.handle();
        let guard = metrics::set_default_local_recorder(&recorder);
        let store = DynamoStore::connect(&options, clock(), Arc::new(SystemRandom)).await.unwrap();
        drop(guard);
        store.migrate(APPLY).await.unwrap();
        Self { store, metrics }
    }

    /// Read and write units of an operation so far.
    fn units(&self, operation: &str) -> (u64, u64) {
        let text = self.metrics.render();
        let of = |kind: &str| {
            let labels = format!("{{operation=\"{operation}\",kind=\"{kind}\"}} ");
            let line = text.lines().find_map(|line| line.split_once(&labels));
            line.map_or(0, |(_, value)| value.parse().unwrap())
        };
        (of("read"), of("write"))
    }

    /// What the commit of this write costs.
    async fn commit(&self, write: Write) -> (u64, u64) {
        let before = self.units("commit");
        self.store.commit(Batch::of([write])).await.unwrap();
        let after = self.units("commit");
        (after.0 - before.0, after.1 - before.1)
    }
}

fn bare(id: &str, bytes: usize) -> Write {
    let mut write = put(id, "", Precondition::Absent);
    if let Write::Put { body, entries, .. } = &mut write {
        *body = Bytes::from(vec![b' '; bytes]);
        entries.clear();
    }
    write
}

#[tokio::test]
async fn calls_cost_what_the_guide_says() {
    let bed = Bed::new().await;
    // That there is such a collection is noted once.
    assert_eq!(bed.commit(bare("first", 10)).await, (0, 3));
    assert_eq!(bed.commit(bare("small", 10)).await, (0, 2), "a create");
    assert_eq!(bed.commit(bare("large", 9_900)).await, (0, 20), "a create of 10 KB");
    assert_eq!(bed.commit(put("a", "x", Precondition::Absent)).await, (0, 4), "with an index");
    assert_eq!(bed.commit(put("a", "x", Precondition::Exists)).await, (1, 2), "an update");
    assert_eq!(bed.commit(put("a", "y", Precondition::Exists)).await, (1, 6), "of the index");
    for n in 0..9 {
        bed.commit(put(&format!("b{n}"), "y", Precondition::Absent)).await;
    }
    bed.store.get(&key("small")).await.unwrap();
    bed.store.get(&key("large")).await.unwrap();
    assert_eq!(bed.units("get"), (1 + 3, 0));
    assert_eq!(by_status(&bed.store).await.len(), 10);
    assert_eq!(bed.units("query"), (1 + 10, 0), "ten by an index");
    let query = Query {
        collection: "rec.things",
        order: Order::Id,
        range: index_value::starting_with(b"b".to_vec()),
        descending: false,
        after: None,
        limit: 9,
        may_lag: false,
    };
    assert_eq!(bed.store.query(&query).await.unwrap().len(), 9);
    assert_eq!(bed.units("query"), (11 + 1, 0), "nine small ones by id");
    let delete = Write::Delete { key: key("a"), precondition: Precondition::Any };
    assert_eq!(bed.commit(delete).await, (1, 4), "a delete with an index");
}
