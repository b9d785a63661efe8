//! Batches: all or nothing, which fault is named, bounds.

use bytes::Bytes;
use outrigger_kernel::limits;
use outrigger_ports::index_value;
use outrigger_ports::store::{Entry, Order, Precondition, Query, StoreError, Write};

use super::StoreFactory;
use super::bed::{
    Bed, all_of, assert_precondition, assert_unique, boat, check, delete, plain, put, put_with,
    reindex, unique, when, with_body,
};

/// A change of everything that `prepared` holds, with room for one more write.
fn changes() -> Vec<Write> {
    vec![
        put_with("fresh", vec![plain("status", "new"), unique("name", "fresh")]),
        with_body(put_with("kept", vec![plain("status", "changed")]), "{\"changed\":true}"),
        delete("gone"),
        reindex("moved", vec![plain("status", "moved"), unique("name", "moved")]),
        check("kept2", Precondition::Version(1)),
    ]
}

async fn prepared(factory: &dyn StoreFactory) -> Bed {
    let bed = Bed::new(factory).await;
    bed.done([
        put_with("kept", vec![plain("status", "old"), unique("name", "kept")]),
        put_with("gone", vec![plain("status", "old"), unique("name", "gone")]),
        put_with("moved", vec![plain("status", "old"), unique("name", "was")]),
        put_with("kept2", vec![plain("status", "old"), unique("name", "taken")]),
    ])
    .await;
    bed
}

/// Everything that can be read.
async fn all(bed: &Bed) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        bed.query(all_of(Order::Id)).await,
        bed.query(all_of(Order::Index("status"))).await,
        bed.query(all_of(Order::Unique("name"))).await,
    )
}

/// Wherever in the batch a precondition fails, nothing of the batch happens.
pub async fn a_failing_write_undoes_the_batch_at_every_position(factory: &dyn StoreFactory) {
    let bed = prepared(factory).await;
    let before = all(&bed).await;
    let failing = [
        when(put("absent"), Precondition::Exists),
        when(delete("absent"), Precondition::Exists),
        when(reindex("absent", vec![]), Precondition::Version(1)),
        check("absent", Precondition::Exists),
    ];
    for write in failing {
        for position in 0..=changes().len() {
            let mut writes = changes();
            writes.insert(position, write.clone());
            assert_precondition(bed.commit(writes).await, position, None);
            assert_eq!(all(&bed).await, before, "{write:?} at {position} changed something");
        }
    }
    assert_eq!(bed.done(changes()).await, [1, 2, 0, 1, 1]);
}

/// The same for a unique value that is taken.
pub async fn a_failing_unique_entry_undoes_the_batch_at_every_position(factory: &dyn StoreFactory) {
    let bed = prepared(factory).await;
    let before = all(&bed).await;
    for position in 0..=changes().len() {
        let mut writes = changes();
        writes.insert(position, put_with("other", vec![unique("name", "taken")]));
        assert_unique(bed.commit(writes).await, position, "name");
        assert_eq!(all(&bed).await, before, "position {position} changed something");
    }
}

/// Of several faults of one kind the first one is named.
pub async fn the_first_fault_is_named(factory: &dyn StoreFactory) {
    let bed = prepared(factory).await;
    let result = bed
        .commit([
            put("a"),
            when(put("zebra"), Precondition::Exists),
            when(delete("kept"), Precondition::Version(9)),
            when(put("apple"), Precondition::Exists),
        ])
        .await;
    assert_precondition(result, 1, None);
    let result = bed
        .commit([
            put("a"),
            put_with("zebra", vec![unique("hull", "z"), unique("name", "taken")]),
            put_with("apple", vec![unique("name", "kept")]),
        ])
        .await;
    assert_unique(result, 1, "name");
}

/// A failed precondition is named before a taken value of an earlier write.
pub async fn preconditions_are_looked_at_before_unique_entries(factory: &dyn StoreFactory) {
    let bed = prepared(factory).await;
    let taken = put_with("other", vec![unique("name", "taken")]);
    let result = bed.commit([taken, check("kept", Precondition::Absent)]).await;
    assert_precondition(result, 1, Some(1));
}

/// As many writes as allowed, each with as many entries as allowed.
pub async fn the_largest_batch_is_taken(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let writes: Vec<Write> = (0..limits::BATCH_MAX)
        .map(|n| {
            let value = |name: &str| format!("{name} {n} {}", "v".repeat(480));
            let plains = (0..limits::INDEXES_MAX).map(|i| format!("plain{i}"));
            let uniques = (0..limits::UNIQUES_MAX).map(|i| format!("unique{i}"));
            let entries = plains
                .map(|name| plain(&name, &value(&name)))
                .chain(uniques.map(|name| unique(&name, &value(&name))))
                .collect();
            put_with(&format!("{n:0>width$}", width = limits::ID_BYTES_MAX), entries)
        })
        .collect();
    assert_eq!(bed.done(writes.clone()).await, vec![1; limits::BATCH_MAX]);
    assert_eq!(bed.done(writes).await, vec![2; limits::BATCH_MAX]);
    let last = format!("plain{}", limits::INDEXES_MAX - 1);
    let found = bed.ids(Order::Index(&last), index_value::all()).await;
    assert_eq!(found.len(), limits::BATCH_MAX);
}

/// Bodies of as many bytes as a batch may have; one more is refused.
pub async fn the_heaviest_batch_is_taken(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let body = Bytes::from(vec![b' '; limits::DOCUMENT_BYTES_MAX]);
    let count = limits::BATCH_BYTES_MAX / limits::DOCUMENT_BYTES_MAX;
    let writes = |more: usize| -> Vec<Write> {
        let heavy = (0..count).map(|n| with_body(put(&format!("d{n}")), body.clone()));
        heavy.chain((0..more).map(|n| with_body(put(&format!("more{n}")), "1"))).collect()
    };
    let result = bed.commit(writes(1)).await;
    assert!(matches!(result, Err(StoreError::Bound { write, .. }) if write == count), "{result:?}");
    assert_eq!(bed.ids(Order::Id, index_value::all()).await, Vec::<String>::new());
    assert_eq!(bed.done(writes(0)).await, vec![1; count]);
    assert_eq!(bed.done(writes(0)).await, vec![2; count]);
    assert_eq!(bed.ids(Order::Id, index_value::all()).await.len(), count);
}

/// A batch without writes is done.
pub async fn an_empty_batch_changes_nothing(factory: &dyn StoreFactory) {
    let bed = prepared(factory).await;
    let before = all(&bed).await;
    assert_eq!(bed.done([]).await, Vec::<u64>::new());
    assert_eq!(all(&bed).await, before);
}

/// Every adapter refuses what is over a portable bound, and changes nothing.
pub async fn what_is_over_a_bound_is_refused(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let long_id = "x".repeat(limits::ID_BYTES_MAX + 1);
    let large = Bytes::from(vec![b' '; limits::DOCUMENT_BYTES_MAX + 1]);
    let long_value = Entry {
        index: "status".to_owned(),
        value: vec![b'v'; limits::INDEX_VALUE_BYTES_MAX + 1],
        unique: false,
    };
    let plains = (0..=limits::INDEXES_MAX).map(|i| plain(&format!("p{i}"), "v")).collect();
    let uniques = (0..=limits::UNIQUES_MAX).map(|i| unique(&format!("u{i}"), "v")).collect();
    let refused = [
        with_body(put("a"), large),
        put(""),
        put(&long_id),
        delete(&long_id),
        check(&long_id, Precondition::Any),
        put_with("a", vec![long_value]),
        put_with("a", plains),
        put_with("a", uniques),
        put_with("a", vec![plain("status", "x"), plain("status", "y")]),
        reindex("a", vec![plain("status", "x"), plain("status", "y")]),
        delete("first"),
    ];
    for write in refused {
        let result = bed.commit([put("first"), write]).await;
        assert!(matches!(result, Err(StoreError::Bound { write: 1, .. })), "{result:?}");
        assert_eq!(bed.get("first").await, None);
    }
    let result = bed.commit((0..=limits::BATCH_MAX).map(|n| put(&n.to_string()))).await;
    assert!(matches!(result, Err(StoreError::Bound { .. })), "{result:?}");
    assert_eq!(bed.get("0").await, None);
}

/// Reads of more than the bounds allow are refused, and so is a page of nothing.
pub async fn reads_over_a_bound_are_refused(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for limit in [0, limits::QUERY_LIMIT_MAX + 1] {
        let result = bed.store.query(&Query { limit, ..all_of(Order::Id) }).await;
        assert!(matches!(result, Err(StoreError::Bound { .. })), "{limit}: {result:?}");
        let result = bed.store.scan(None, limit).await;
        assert!(matches!(result, Err(StoreError::Bound { .. })), "{limit}: {result:?}");
    }
    let result = bed.store.get_many(&vec![boat("a"); limits::GET_MANY_MAX + 1]).await;
    assert!(matches!(result, Err(StoreError::Bound { .. })), "{result:?}");
}
