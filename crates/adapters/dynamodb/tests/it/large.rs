//! Batches with more changes than one transaction may have, and what they leave behind.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_kernel::{ManualClock, Timestamp};
use outrigger_ports::collection::{entry, unique};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, Query, Store, StoreError, Write};

use crate::emulator::{Emulator, on_both};
use crate::interposer::{self, Fault, Interposer, TRANSACT};
use crate::support::{APPLY, PATIENT, client, connect, connect_with, key, put};

/// Long enough to write what comes before a transaction on a busy machine.
const GIVES_UP: Duration = Duration::from_secs(15);

/// 20 documents, each in 8 indexes and with a unique value: 200 items.
fn large(round: usize, precondition: Precondition) -> Batch {
    Batch::of((0..20).map(|n| {
        let indexes =
            (0..8).map(|i| entry(&format!("i{i}"), index_value::of_str(&format!("{round}"))));
        let name = unique("name", index_value::of_str(&format!("{round} {n}")));
        let mut write = put(&format!("d{n:02}"), "x", precondition);
        if let Write::Put { entries, .. } = &mut write {
            *entries = indexes.chain([name]).collect();
        }
        write
    }))
}

/// How many documents are found in an index.
async fn found(store: &dyn Store, order: Order<'_>) -> usize {
    let query = Query {
        collection: "rec.things",
        order,
        range: index_value::all(),
        descending: false,
        after: None,
        limit: 100,
        may_lag: false,
    };
    store.query(&query).await.unwrap().len()
}

struct Bed {
    direct: DynamoStore,
    store: Arc<DynamoStore>,
    interposer: Interposer,
    clock: Arc<ManualClock>,
    table: Table,
}

/// The emulator itself.
struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// How many items begin so, of all that is in the table.
    async fn count(&self, prefix: &str) -> usize {
        let mut pages = self.client.scan().table_name(&self.name).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let items = page.unwrap().items.unwrap_or_default();
            let is = |pk: &str| pk.starts_with(prefix);
            count += items.iter().filter(|item| item["pk"].as_s().is_ok_and(|pk| is(pk))).count();
        }
        count
    }
}

impl Table {
    /// Waits until so many items begin so.
    async fn until(&self, prefix: &str, count: usize) {
        let there = async {
            while self.count(prefix).await != count {
                tokio::task::yield_now().await;
            }
        };
        let there = tokio::time::timeout(Duration::from_secs(60), there).await;
        assert!(there.is_ok(), "{} items of {prefix}, not {count}", self.count(prefix).await);
    }
}

async fn bed(emulator: Emulator, patience: Duration) -> Bed {
    let url = emulator.fresh_url();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let direct = connect(&url, clock.clone()).await;
    direct.migrate(APPLY).await.unwrap();
    let interposer = interposer::before(emulator.port());
    let through = url.replace(&emulator.port().to_string(), &interposer.port().to_string());
    let options = DynamoOptions { patience, ..DynamoOptions::at(through) };
    let store = Arc::new(connect_with(options, clock.clone()).await);
    let name = url.split(['/', '?']).nth(3).unwrap().to_owned();
    let table = Table { client: client(emulator), name };
    Bed { direct, store, interposer, clock, table }
}

on_both!(a_large_batch_leaves_nothing_but_itself, large_batches_at_once_end_as_one_after_the_other);

async fn a_large_batch_leaves_nothing_but_itself(emulator: Emulator) {
    let Bed { direct, table, .. } = bed(emulator, PATIENT).await;
    for round in 0..3 {
        let versions = direct.commit(large(round, Precondition::Any)).await.unwrap();
        assert_eq!(versions, vec![round as u64 + 1; 20]);
        assert_eq!((table.count("i/").await, table.count("u/").await), (160, 20));
        assert_eq!((table.count("d/").await, table.count("s/").await), (20, 0));
        assert_eq!(found(&direct, Order::Index("i7")).await, 20);
        assert_eq!(found(&direct, Order::Unique("name")).await, 20);
    }
}

#[tokio::test]
async fn a_large_batch_that_is_refused_is_taken_back() {
    let Bed { store, direct, table, interposer, .. } = bed(Emulator::Dynoxide, GIVES_UP).await;
    interposer.next(usize::MAX, TRANSACT, Fault::Conflict);
    let result = store.commit(large(0, Precondition::Absent)).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    interposer.relent();
    assert_eq!(found(&direct, Order::Index("i0")).await, 0);
    for prefix in ["d/", "i/", "u/", "s/"] {
        assert_eq!(table.count(prefix).await, 0, "{prefix}");
    }
}

#[tokio::test]
async fn what_a_killed_process_leaves_behind_leads_nowhere_and_is_removed_by_who_meets_it() {
    let Bed { store, direct, table, interposer, clock, .. } =
        bed(Emulator::Dynoxide, GIVES_UP).await;
    direct.commit(Batch::of([put("d00", "old", Precondition::Absent)])).await.unwrap();
    // The process dies before its transaction is sent.
    interposer.next(usize::MAX, TRANSACT, Fault::LoseRequest);
    let result = store.commit(large(0, Precondition::Any)).await;
    assert!(matches!(result, Err(StoreError::OutcomeUnknown(_))), "{result:?}");
    drop(store);
    assert_eq!((table.count("i/").await, table.count("s/").await), (161, 1));
    assert_eq!(found(&direct, Order::Index("i0")).await, 0);
    // They are young: somebody may be about to commit.
    assert_eq!(table.count("i/").await, 161);
    clock.advance(Duration::from_secs(61));
    for index in 0..8 {
        assert_eq!(found(&direct, Order::Index(&format!("i{index}"))).await, 0);
    }
    table.until("i/", 1).await;
    assert_eq!((table.count("i/").await, table.count("s/").await), (1, 0));
    assert_eq!(direct.get(&key("d00")).await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn who_removes_what_a_large_batch_has_written_stops_its_commit() {
    let Bed { store, direct, interposer, clock, table, .. } =
        bed(Emulator::Dynoxide, PATIENT).await;
    // Each try of the transaction gets lost until somebody has met its entries.
    interposer.next(usize::MAX, TRANSACT, Fault::Conflict);
    let committing = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(large(0, Precondition::Absent)).await })
    };
    table.until("i/", 160).await;
    clock.advance(Duration::from_secs(61));
    for index in 0..8 {
        assert_eq!(found(&direct, Order::Index(&format!("i{index}"))).await, 0);
    }
    table.until("s/", 0).await;
    interposer.relent();
    // Its mark is gone, so it begins anew, and is whole.
    let done = committing.await.unwrap();
    let there = usize::from(done.is_ok()) * 20;
    for index in 0..8 {
        assert_eq!(found(&direct, Order::Index(&format!("i{index}"))).await, there, "{done:?}");
    }
    assert_eq!(table.count("i/").await, there * 8);
}

async fn large_batches_at_once_end_as_one_after_the_other(emulator: Emulator) {
    let Bed { direct, clock, .. } = bed(emulator, PATIENT).await;
    let direct = Arc::new(direct);
    let commits = (0..4).map(|round| {
        let store = Arc::clone(&direct);
        tokio::spawn(async move { store.commit(large(round, Precondition::Any)).await })
    });
    let mut done = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.unwrap() {
            Ok(_) => done += 1,
            Err(StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(done > 0);
    let scanned = direct.scan(None, 100).await.unwrap();
    assert!(scanned.iter().all(|scanned| scanned.document.version == done), "{done} were done");
    clock.advance(Duration::from_secs(61));
    for order in [Order::Index("i0"), Order::Index("i7"), Order::Unique("name")] {
        assert_eq!(found(&*direct, order).await, 20, "{order:?}");
    }
}
