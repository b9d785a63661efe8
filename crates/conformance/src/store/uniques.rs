//! Unique entries.

use std::time::Duration;

use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Precondition};

use super::StoreFactory;
use super::bed::{
    Bed, assert_unique, check, delete, plain, put, put_in, put_with, reindex, unique, until,
};

const NAME: Order<'static> = Order::Unique("name");

async fn holder(bed: &Bed, value: &str) -> Vec<String> {
    bed.ids(NAME, index_value::exactly(index_value::of_str(value))).await
}

/// A taken value is refused, whatever case or length others have.
pub async fn a_taken_value_is_refused_and_named(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![unique("name", "ada"), unique("hull", "1")])]).await;
    assert_unique(bed.commit([put_with("b", vec![unique("name", "ada")])]).await, 0, "name");
    let both = vec![unique("name", "b"), unique("hull", "1")];
    assert_unique(bed.commit([put("c"), put_with("b", both)]).await, 1, "hull");
    assert_eq!((bed.get("b").await, bed.get("c").await), (None, None));
    for (n, close) in ["Ada", "ad", "ada ", "ada\0", "", "\0", "adá"].into_iter().enumerate() {
        bed.done([put_with(&format!("close{n}"), vec![unique("name", close)])]).await;
        assert_eq!(holder(&bed, close).await, [format!("close{n}")]);
    }
    assert_eq!(holder(&bed, "ada").await, ["a"]);
}

/// The same value in another index or collection is another value.
pub async fn a_value_is_unique_within_its_collection_and_index(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let elsewhere = put_in("rec.others", put_with("c", vec![unique("name", "x")]));
    bed.done([put_with("a", vec![unique("name", "x")])]).await;
    bed.done([put_with("b", vec![unique("hull", "x"), plain("label", "x")]), elsewhere]).await;
    bed.done([put_with("d", vec![plain("label", "x")])]).await;
    assert_eq!(holder(&bed, "x").await, ["a"]);
}

/// A value is free once its holder is deleted, or has another one, or none.
pub async fn deleting_or_changing_the_holder_frees_the_value(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![unique("name", "x")])]).await;
    bed.done([delete("a")]).await;
    bed.done([put_with("b", vec![unique("name", "x")])]).await;
    bed.done([put_with("b", vec![unique("name", "y")])]).await;
    bed.done([put_with("c", vec![unique("name", "x")])]).await;
    assert_unique(bed.commit([put_with("d", vec![unique("name", "y")])]).await, 0, "name");
    bed.done([put("c")]).await;
    bed.done([put_with("d", vec![unique("name", "x")])]).await;
    assert_eq!(bed.ids(NAME, index_value::all()).await, ["d", "b"]);
}

/// A document does not collide with itself.
pub async fn a_document_keeps_its_own_value(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for version in 1..=3 {
        let entries = vec![unique("name", "x"), plain("status", &version.to_string())];
        assert_eq!(bed.done([put_with("a", entries)]).await, [version]);
    }
    assert_eq!(holder(&bed, "x").await, ["a"]);
}

/// Only how things stand after the batch counts.
pub async fn values_are_swapped_within_one_batch(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([
        put_with("a", vec![unique("name", "x")]),
        put_with("b", vec![unique("name", "y")]),
        put_with("c", vec![unique("name", "z")]),
    ])
    .await;
    bed.done([
        put_with("a", vec![unique("name", "y")]),
        reindex("b", vec![unique("name", "z")]),
        put_with("c", vec![unique("name", "x")]),
    ])
    .await;
    assert_eq!(bed.ids(NAME, index_value::all()).await, ["c", "a", "b"]);
}

/// Who takes over a value may come before who gives it away.
pub async fn a_value_moves_to_another_document_within_one_batch(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![unique("name", "x")])]).await;
    bed.done([put_with("b", vec![unique("name", "x")]), delete("a")]).await;
    assert_eq!(holder(&bed, "x").await, ["b"]);
    bed.done([put("b"), put_with("a", vec![unique("name", "x")])]).await;
    assert_eq!(holder(&bed, "x").await, ["a"]);
}

/// Two writes of one batch cannot have one value.
pub async fn the_same_value_twice_in_a_batch_names_the_later_write(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for (first, second) in [("a", "b"), ("d", "c")] {
        let result = bed
            .commit([
                put_with(first, vec![unique("name", "x")]),
                put("between"),
                put_with(second, vec![unique("name", "x")]),
            ])
            .await;
        assert_unique(result, 2, "name");
        assert_eq!(bed.get(first).await, None);
    }
}

/// A holder that the batch rewrites has no values; if it takes them again, it is the one who comes
/// too late, or too early.
pub async fn a_holder_that_is_rewritten_stands_in_line(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let both = |hull| vec![unique("name", "x"), unique("hull", hull)];
    bed.done([put_with("a", both("1")), put_with("z", vec![unique("hull", "9")])]).await;
    for again in [put_with("a", both("2")), put_with("a", both("1")), reindex("a", both("2"))] {
        for taker in ["0", "b", "z"] {
            let taker = put_with(taker, vec![unique("name", "x")]);
            assert_unique(bed.commit([taker.clone(), again.clone()]).await, 1, "name");
            assert_unique(bed.commit([again.clone(), taker]).await, 1, "name");
        }
    }
    // A value that it keeps without being rewritten is taken all the time.
    let taker = put_with("b", vec![unique("name", "x")]);
    assert_unique(bed.commit([taker, check("a", Precondition::Any)]).await, 0, "name");
    // Of several faults the first in the order of the writes, then of the entries, is named.
    for (first, second) in [("name", "hull"), ("hull", "name")] {
        let value = |index| if index == "name" { "x" } else { "9" };
        let entries = [first, second].map(|index| unique(index, value(index))).to_vec();
        let batch = [put("c"), put_with("b", entries), put_with("0", both("1"))];
        assert_unique(bed.commit(batch).await, 1, first);
    }
    assert_eq!(holder(&bed, "x").await, ["a"]);
    assert_eq!((bed.get("0").await, bed.get("b").await), (None, None));
}

/// The value of an expired document is free, whether or not the document is deleted yet.
pub async fn an_expired_holder_does_not_block(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let expiring = |id: &str| until(put_with(id, vec![unique("name", "x")]), bed.in_secs(10));
    bed.done([expiring("a")]).await;
    assert_unique(bed.commit([put_with("b", vec![unique("name", "x")])]).await, 0, "name");
    bed.clock.advance(Duration::from_secs(10));
    bed.done([put_with("b", vec![unique("name", "x")])]).await;
    assert_eq!(holder(&bed, "x").await, ["b"]);
    // The expired one comes back to life without its value.
    assert_eq!(bed.done([put("a")]).await, [1]);
    assert_unique(bed.commit([put_with("a", vec![unique("name", "x")])]).await, 0, "name");
    assert_eq!(holder(&bed, "x").await, ["b"]);
    // A purge must not take the value away from its new holder.
    while bed.store.purge_expired(100).await.unwrap() > 0 {}
    assert_eq!(holder(&bed, "x").await, ["b"]);
    assert_unique(bed.commit([put_with("c", vec![unique("name", "x")])]).await, 0, "name");
}

/// A reindex is refused for a taken value, and frees what it gives up.
pub async fn reindexing_takes_and_frees_values(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![unique("name", "x")]), put("b")]).await;
    assert_unique(bed.commit([reindex("b", vec![unique("name", "x")])]).await, 0, "name");
    bed.done([reindex("a", vec![unique("name", "y")])]).await;
    bed.done([reindex("b", vec![unique("name", "x")])]).await;
    assert_eq!(bed.ids(NAME, index_value::all()).await, ["b", "a"]);
    // With no document there, nothing is done, so nothing is refused.
    assert_eq!(bed.done([reindex("nobody", vec![unique("name", "x")])]).await, [0]);
}
