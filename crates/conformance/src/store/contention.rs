//! Many at once, over all handles of the store.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use outrigger_kernel::{ErrorKind, SystemRandom};
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, Query, StoreError, Write};

use super::StoreFactory;
use super::bed::{Bed, all_of, boat, check, plain, put, put_with, unique, when, with_body};

/// Runs them as tasks of their own, so that they meet on all threads.
async fn together<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let started: Vec<_> = tasks.into_iter().map(|task| tokio::spawn(task)).collect();
    join_all(started).await.into_iter().map(|done| done.unwrap()).collect()
}

struct Counter(u64);

impl serde::Serialize for Counter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Counter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

impl Entity for Counter {
    const COLLECTION: &'static str = "sys.counters";
    const NAME: &'static str = "counter";
}

/// Every acknowledged increment is in the sum, and the version counts them.
pub async fn concurrent_updates_lose_nothing(factory: &dyn StoreFactory) {
    const TASKS: u64 = 8;
    const EACH: u64 = 15;
    let bed = Bed::new(factory).await;
    let put = Collection::<Counter>::put("c", &Counter(0), Precondition::Absent).unwrap();
    bed.done([put]).await;
    together((0..TASKS).map(|n| {
        let store = bed.handle(usize::try_from(n).unwrap());
        let counters = Collection::<Counter>::new(store, Arc::new(SystemRandom));
        async move {
            let mut done = 0;
            while done < EACH {
                let update = counters.update("c", |counter| {
                    counter.0 += 1;
                    Ok(())
                });
                match update.await {
                    Ok(_) => done += 1,
                    // Others were quicker eight times; nothing was changed.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}"),
                }
            }
        }
    }))
    .await;
    let counters = Collection::<Counter>::new(bed.store.clone(), Arc::new(SystemRandom));
    let last = counters.get("c").await.unwrap();
    assert_eq!((last.value.0, last.version), (TASKS * EACH, TASKS * EACH + 1));
}

/// Exactly one of many creates of the same document is done; the others learn its version.
pub async fn one_of_concurrent_creates_wins(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for round in 0..20 {
        let id = format!("r{round}");
        let results = together((0..8).map(|n| {
            let store = bed.handle(n);
            let write = with_body(when(put(&id), Precondition::Absent), n.to_string());
            async move { (n, store.commit(Batch::of([write])).await) }
        }))
        .await;
        let mut winner = None;
        for (n, result) in results {
            match result {
                Ok(versions) => {
                    assert_eq!(versions, [1]);
                    assert_eq!(winner.replace(n), None, "two creates of one document");
                }
                Err(StoreError::Precondition { write: 0, found: Some(1) }) => {}
                Err(other) => panic!("expected a failed precondition, got {other:?}"),
            }
        }
        let document = bed.get(&id).await.unwrap();
        assert_eq!(document.body, winner.expect("one create is done").to_string());
    }
}

/// Exactly one of many documents gets a value that all want.
pub async fn one_of_concurrent_claims_of_a_unique_value_wins(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for round in 0..20 {
        let name = format!("name{round}");
        let results = together((0..8).map(|n| {
            let store = bed.handle(n);
            let id = format!("r{round}-{n}");
            let write = put_with(&id, vec![plain("status", "x"), unique("name", &name)]);
            async move { (id, store.commit(Batch::of([write])).await) }
        }))
        .await;
        let mut winners = Vec::new();
        for (id, result) in results {
            match result {
                Ok(_) => winners.push(id),
                Err(StoreError::Unique { write: 0, index }) if index == "name" => {
                    assert_eq!(bed.get(&id).await, None);
                }
                Err(other) => panic!("expected a taken value, got {other:?}"),
            }
        }
        let value = index_value::exactly(index_value::of_str(&name));
        assert_eq!(bed.ids(Order::Unique("name"), value).await, winners);
        assert_eq!(winners.len(), 1);
    }
}

/// Each of two batches checks what the other one writes: only one can be done.
pub async fn write_skew_through_checks_is_impossible(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for round in 0..30 {
        let (a, b) = (format!("r{round}-a"), format!("r{round}-b"));
        // In every other round the documents are not there yet.
        let before = if round % 2 == 0 {
            bed.done([put(&a), put(&b)]).await;
            Precondition::Version(1)
        } else {
            Precondition::Absent
        };
        let results =
            together([(&a, &b), (&b, &a)].into_iter().enumerate().map(|(n, (own, other))| {
                let store = bed.handle(n);
                let batch = Batch::of([check(other, before), when(put(own), before)]);
                async move { store.commit(batch).await }
            }))
            .await;
        let done = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(done, 1, "round {round}: {results:?}");
        for result in results {
            if let Err(error) = result {
                assert!(matches!(error, StoreError::Precondition { write: 0, .. }), "{error:?}");
            }
        }
    }
}

/// Batches over the same documents in opposite order are all done.
pub async fn batches_in_opposite_order_do_not_deadlock(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let ids = ["a", "b", "c", "d"];
    together((0..8_usize).map(|n| {
        let store = bed.handle(n);
        async move {
            for round in 0..10 {
                let mut writes: Vec<Write> = ids
                    .iter()
                    .map(|id| put_with(id, vec![plain("status", &format!("{n} {round}"))]))
                    .collect();
                if n % 2 == 0 {
                    writes.reverse();
                }
                store.commit(Batch::of(writes)).await.unwrap();
            }
        }
    }))
    .await;
    for id in ids {
        assert_eq!(bed.version(id).await, Some(80));
    }
    assert_eq!(bed.ids(Order::Index("status"), index_value::all()).await.len(), 4);
}

/// While a document moves between values, a query finds it under the value that its body has.
pub async fn a_query_never_shows_a_document_under_a_value_that_it_has_not(
    factory: &dyn StoreFactory,
) {
    let bed = Bed::new(factory).await;
    let over = Arc::new(AtomicBool::new(false));
    let moves =
        |status: &str| with_body(put_with("a", vec![plain("status", status)]), status.to_owned());
    bed.done([moves("0")]).await;
    let readers: Vec<_> = (0..3)
        .map(|n| {
            let (store, over) = (bed.handle(n), over.clone());
            tokio::spawn(async move {
                let mut reads = 0_u32;
                while !over.load(Ordering::SeqCst) || reads == 0 {
                    let found = store.query(&all_of(Order::Index("status"))).await.unwrap();
                    assert_eq!(found.len(), 1, "the document is found once");
                    let body = std::str::from_utf8(&found[0].document.body).unwrap().to_owned();
                    assert_eq!(found[0].position.value, index_value::of_str(&body));
                    reads += 1;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for n in 0..100 {
        bed.done([moves(&(n % 10).to_string())]).await;
    }
    over.store(true, Ordering::SeqCst);
    for reader in join_all(readers).await {
        reader.unwrap();
    }
}

/// Random transfers between accounts, with expected versions: the sum stays.
pub async fn transfers_keep_the_total(factory: &dyn StoreFactory) {
    const ACCOUNTS: usize = 4;
    let bed = Bed::new(factory).await;
    let account = |n: usize| format!("account{n}");
    bed.done((0..ACCOUNTS).map(|n| with_body(put(&account(n)), "100"))).await;
    let moved = together((0..8_usize).map(|n| {
        let store = bed.handle(n);
        async move {
            let mut moved = 0_u32;
            for round in 0..20 {
                let (from, to) = ((n + round) % ACCOUNTS, (n * 3 + round * 2 + 1) % ACCOUNTS);
                if from == to {
                    continue;
                }
                let keys = [boat(&account(from)), boat(&account(to))];
                let both = store.get_many(&keys).await.unwrap();
                let writes = both.into_iter().flatten().zip([-1_i64, 1]).map(|(document, by)| {
                    let amount: i64 = std::str::from_utf8(&document.body).unwrap().parse().unwrap();
                    let write = with_body(put(&document.key.id), (amount + by).to_string());
                    when(write, Precondition::Version(document.version))
                });
                match store.commit(Batch::of(writes)).await {
                    Ok(_) => moved += 1,
                    Err(StoreError::Precondition { .. }) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            moved
        }
    }))
    .await;
    assert!(moved.iter().sum::<u32>() > 0, "no transfer was done");
    let all = bed.query(Query { limit: ACCOUNTS, ..all_of(Order::Id) }).await;
    let total: i64 = all
        .iter()
        .map(|found| std::str::from_utf8(&found.document.body).unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(total, 100 * i64::try_from(ACCOUNTS).unwrap());
    let versions: u64 = all.iter().map(|found| found.document.version - 1).sum();
    assert_eq!(versions, u64::from(moved.iter().sum::<u32>()) * 2);
}
