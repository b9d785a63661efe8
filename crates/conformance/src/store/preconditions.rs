//! Each precondition on each kind of write.

use outrigger_ports::store::{Precondition, Write};

use super::StoreFactory;
use super::bed::{
    Bed, assert_precondition, check, delete, plain, put, put_with, reindex, when, with_body,
};

/// Every precondition, and whether it holds without a document and at version 2.
const LADDER: [(Precondition, bool, bool); 7] = [
    (Precondition::Any, true, true),
    (Precondition::Absent, true, false),
    (Precondition::Exists, false, true),
    (Precondition::Version(0), false, false),
    (Precondition::Version(1), false, false),
    (Precondition::Version(2), false, true),
    (Precondition::Version(3), false, false),
];

/// Tries the write under each precondition; gives the versions after it without a document and at
/// version 2, where it is done.
async fn climb(
    factory: &dyn StoreFactory,
    write: impl Fn(&str) -> Write,
    after_absent: Option<u64>,
    after_second: Option<u64>,
) {
    let bed = Bed::new(factory).await;
    for (n, (precondition, on_absent, on_second)) in LADDER.into_iter().enumerate() {
        let (absent, second) = (format!("absent{n}"), format!("second{n}"));
        bed.done([put(&second)]).await;
        bed.done([put(&second)]).await;
        let before = bed.get(&second).await;

        let result = bed.commit([when(write(&absent), precondition)]).await;
        if on_absent {
            assert_eq!(result.unwrap(), [after_absent.unwrap_or(0)], "{precondition:?}");
            assert_eq!(bed.version(&absent).await, after_absent, "{precondition:?}");
        } else {
            assert_precondition(result, 0, None);
            assert_eq!(bed.get(&absent).await, None, "{precondition:?}");
        }

        let result = bed.commit([when(write(&second), precondition)]).await;
        if on_second {
            assert_eq!(result.unwrap(), [after_second.unwrap_or(0)], "{precondition:?}");
            assert_eq!(bed.version(&second).await, after_second, "{precondition:?}");
        } else {
            assert_precondition(result, 0, Some(2));
            assert_eq!(bed.get(&second).await, before, "{precondition:?}");
        }
    }
}

/// A put happens when its precondition holds, and only then.
pub async fn put_obeys_each_precondition(factory: &dyn StoreFactory) {
    climb(factory, |id| with_body(put(id), "{\"new\":1}"), Some(1), Some(3)).await;
}

/// The same for a delete.
pub async fn delete_obeys_each_precondition(factory: &dyn StoreFactory) {
    climb(factory, delete, None, None).await;
}

/// The same for a check, which changes nothing.
pub async fn check_obeys_each_precondition(factory: &dyn StoreFactory) {
    climb(factory, |id| check(id, Precondition::Any), None, Some(2)).await;
}

/// The same for a reindex, which changes entries only.
pub async fn reindex_obeys_each_precondition(factory: &dyn StoreFactory) {
    climb(factory, |id| reindex(id, vec![plain("status", "open")]), None, Some(2)).await;
}

/// Deleting nothing is done, and deletes nothing else.
pub async fn deleting_what_is_not_there_is_no_error(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![plain("status", "open")])]).await;
    assert_eq!(bed.done([delete("b"), delete("c")]).await, [0, 0]);
    assert_eq!(bed.version("a").await, Some(1));
}
