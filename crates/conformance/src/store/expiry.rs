//! Expiry: what has expired is absent, whether or not it is deleted yet.

use std::time::Duration;

use outrigger_kernel::Clock;
use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Precondition};

use super::StoreFactory;
use super::bed::{
    Bed, assert_precondition, boat, check, delete, plain, put, put_with, reindex, unique, until,
    when,
};

/// A store with `a`, which has expired, and `b`, which lives.
async fn with_expired(factory: &dyn StoreFactory) -> Bed {
    let bed = Bed::new(factory).await;
    let entries = || vec![plain("status", "x"), unique("name", "a")];
    bed.done([put_with("a", entries())]).await;
    bed.done([until(put_with("a", entries()), bed.in_secs(5))]).await;
    bed.done([until(put_with("b", vec![plain("status", "x")]), bed.in_secs(500))]).await;
    bed.clock.advance(Duration::from_secs(5));
    bed
}

/// No read finds it.
pub async fn an_expired_document_is_absent_everywhere(factory: &dyn StoreFactory) {
    let bed = with_expired(factory).await;
    assert_eq!(bed.get("a").await, None);
    let both = bed.store.get_many(&[boat("a"), boat("b")]).await.unwrap();
    assert!(both[0].is_none() && both[1].is_some());
    for order in [Order::Id, Order::Index("status")] {
        assert_eq!(bed.ids(order, index_value::all()).await, ["b"]);
        assert_eq!(bed.ids_down(order, index_value::all()).await, ["b"]);
    }
    assert_eq!(bed.ids(Order::Unique("name"), index_value::all()).await, Vec::<String>::new());
    let scanned = bed.store.scan(None, 10).await.unwrap();
    assert_eq!(
        scanned.into_iter().map(|scanned| scanned.document.key.id).collect::<Vec<_>>(),
        ["b"]
    );
}

/// It is there up to the last microsecond before its expiry, which is kept exactly.
pub async fn expiry_is_exact_to_the_microsecond(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let at = bed.clock.now().plus(Duration::from_micros(1_234_567));
    bed.done([until(put("a"), at)]).await;
    assert_eq!(bed.get("a").await.unwrap().expires_at, Some(at));
    bed.clock.advance(Duration::from_micros(1_234_566));
    assert!(bed.get("a").await.is_some());
    bed.clock.advance(Duration::from_micros(1));
    assert_eq!(bed.get("a").await, None);
    // What was put already expired is never there.
    assert_eq!(bed.done([until(put("b"), at)]).await, [1]);
    assert_eq!(bed.get("b").await, None);
}

/// It counts as absent in every precondition.
pub async fn an_expired_document_counts_as_absent_in_preconditions(factory: &dyn StoreFactory) {
    let bed = with_expired(factory).await;
    for precondition in [Precondition::Exists, Precondition::Version(2)] {
        for write in [put("a"), delete("a"), reindex("a", vec![]), check("a", Precondition::Any)] {
            assert_precondition(bed.commit([when(write, precondition)]).await, 0, None);
        }
    }
    assert_eq!(bed.done([check("a", Precondition::Absent)]).await, [0]);
    assert_eq!(bed.done([delete("a")]).await, [0]);
    let bed = with_expired(factory).await;
    assert_eq!(bed.done([when(put("a"), Precondition::Absent)]).await, [1]);
    assert_eq!(bed.version("a").await, Some(1));
}

/// A put over it is a creation, and nothing of the old one is left.
pub async fn a_put_over_an_expired_document_starts_at_version_one(factory: &dyn StoreFactory) {
    let bed = with_expired(factory).await;
    assert_eq!(bed.done([put_with("a", vec![plain("kind", "new")])]).await, [1]);
    assert_eq!(bed.version("a").await, Some(1));
    assert_eq!(bed.ids(Order::Index("status"), index_value::all()).await, ["b"]);
    assert_eq!(bed.ids(Order::Unique("name"), index_value::all()).await, Vec::<String>::new());
    assert_eq!(bed.done([put_with("c", vec![unique("name", "a")])]).await, [1]);
    while bed.store.purge_expired(100).await.unwrap() > 0 {}
    assert_eq!(bed.version("a").await, Some(1));
}

/// A reindex finds no document there and does nothing.
pub async fn reindexing_an_expired_document_does_nothing(factory: &dyn StoreFactory) {
    let bed = with_expired(factory).await;
    let entries = vec![plain("status", "y"), unique("name", "z")];
    assert_eq!(bed.done([reindex("a", entries)]).await, [0]);
    assert_eq!(bed.get("a").await, None);
    assert_eq!(bed.ids(Order::Index("status"), index_value::all()).await, ["b"]);
    assert_eq!(bed.done([put_with("c", vec![unique("name", "z")])]).await, [1]);
}

/// Each put says anew when the document expires.
pub async fn a_put_changes_the_expiry(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([until(put("a"), bed.in_secs(5))]).await;
    bed.done([until(put("a"), bed.in_secs(50))]).await;
    bed.clock.advance(Duration::from_secs(20));
    assert_eq!(bed.version("a").await, Some(2));
    assert_eq!(bed.done([put("a")]).await, [3]);
    bed.clock.advance(Duration::from_secs(1_000));
    assert_eq!(bed.get("a").await.unwrap().expires_at, None);
}

/// A purge deletes at most so many, only expired ones, and in the end all of them.
pub async fn purging_deletes_expired_documents_only(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for n in 0..12 {
        let entries = vec![plain("status", "x"), unique("name", &n.to_string())];
        bed.done([until(put_with(&format!("gone{n}"), entries), bed.in_secs(5))]).await;
    }
    bed.done([put("stays"), until(put("later"), bed.in_secs(50))]).await;
    assert_eq!(bed.store.purge_expired(100).await.unwrap(), 0);
    bed.clock.advance(Duration::from_secs(6));
    let mut purged = 0;
    loop {
        let some = bed.store.purge_expired(5).await.unwrap();
        assert!(some <= 5);
        purged += some;
        if some == 0 {
            break;
        }
    }
    assert_eq!(purged, 12);
    assert_eq!(bed.ids(Order::Id, index_value::all()).await, ["later", "stays"]);
    assert_eq!(bed.done([put_with("new", vec![unique("name", "3")])]).await, [1]);
}
