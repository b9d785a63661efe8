//! What calls cost, as the metrics count it and the guide says it.

use std::sync::Arc;

use bytes::Bytes;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_kernel::SystemRandom;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, Query, Store, Write};

use crate::emulator::{Emulator, on_both};
use crate::interposer::{Fault, Interposer, TRANSACT};
use crate::support::{PATIENT, by_status, clock, interposed, key, put};

on_both!(writes_cost_what_the_guide_says, a_repeated_write_costs_reads);

struct Bed {
    store: DynamoStore,
    interposer: Interposer,
    metrics: PrometheusHandle,
}

impl Bed {
    async fn new(emulator: Emulator) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (_, interposer, url) = interposed(emulator).await;
        let metrics = recorder.handle();
        let guard = metrics::set_default_local_recorder(&recorder);
        let options = DynamoOptions { patience: PATIENT, ..DynamoOptions::at(url) };
        let store = DynamoStore::connect(&options, clock(), Arc::new(SystemRandom)).await.unwrap();
        drop(guard);
        Self { store, interposer, metrics }
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

/// What is counted as written.
async fn writes_cost_what_the_guide_says(emulator: Emulator) {
    let bed = Bed::new(emulator).await;
    // That there is such a collection is noted once.
    assert_eq!(bed.commit(bare("first", 10)).await.1, 3);
    assert_eq!(bed.commit(bare("small", 10)).await.1, 2, "a create");
    assert_eq!(bed.commit(bare("large", 9_900)).await.1, 20, "a create of 10 KB");
    assert_eq!(bed.commit(put("a", "x", Precondition::Absent)).await.1, 4, "with an index");
    assert_eq!(bed.commit(put("a", "x", Precondition::Exists)).await.1, 2, "an update");
    assert_eq!(bed.commit(put("a", "y", Precondition::Exists)).await.1, 6, "of the index");
    let delete = Write::Delete { key: key("a"), precondition: Precondition::Any };
    assert_eq!(bed.commit(delete).await.1, 4, "a delete with an index");
}

/// A token that DynamoDB has seen costs reading what was written, and what it says of that is no
/// write.
async fn a_repeated_write_costs_reads(emulator: Emulator) {
    let bed = Bed::new(emulator).await;
    bed.commit(bare("first", 10)).await;
    bed.interposer.next(1, TRANSACT, Fault::LoseAnswer);
    assert_eq!(bed.commit(bare("small", 10)).await, (2, 0));
    assert_eq!(bed.interposer.relent(), 0, "the answer was lost");
}

#[tokio::test]
async fn reads_cost_what_the_guide_says() {
    let bed = Bed::new(Emulator::Dynoxide).await;
    for (id, bytes) in [("first", 10), ("small", 10), ("large", 9_900)] {
        assert_eq!(bed.commit(bare(id, bytes)).await.0, 0, "a create reads nothing");
    }
    bed.commit(put("a", "x", Precondition::Absent)).await;
    assert_eq!(bed.commit(put("a", "x", Precondition::Exists)).await.0, 1, "an update");
    assert_eq!(bed.commit(put("a", "y", Precondition::Exists)).await.0, 1, "of the index");
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
    assert_eq!(bed.commit(delete).await.0, 1, "a delete");
}
