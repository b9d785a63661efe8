//! Documents that come from another store.

use std::time::Duration;

use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Precondition, StoreError, VERSION_MAX, Write};

use super::StoreFactory;
use super::bed::{
    Bed, assert_precondition, assert_unique, boat, delete, plain, put, put_with, restore, unique,
    when,
};

/// It has the version, the body and the entries that it had there, whatever was here; puts count on.
pub async fn a_restored_document_is_as_it_was_elsewhere(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let entries = || vec![plain("status", "new"), unique("name", "a")];
    bed.done([put("there"), put_with("held", vec![plain("status", "old")])]).await;
    let versions =
        bed.done([restore("new", 7, entries()), restore("held", 3, Vec::new()), put("x")]).await;
    assert_eq!(versions, [7, 3, 1]);
    assert_eq!(bed.done([restore("there", 1, Vec::new())]).await, [1]);
    let new = bed.get("new").await.unwrap();
    assert_eq!((new.version, &*new.body), (7, &b"{\"from\":\"new\"}"[..]));
    assert_eq!(bed.version("there").await, Some(1));
    assert_eq!(bed.ids(Order::Index("status"), index_value::all()).await, ["new"]);
    assert_eq!(bed.done([put("new")]).await, [8]);
    assert_eq!(bed.ids(Order::Unique("name"), index_value::all()).await, Vec::<String>::new());
    assert_eq!(bed.done([restore("new", VERSION_MAX, Vec::new())]).await, [VERSION_MAX]);
}

/// Preconditions and unique values hold for it as for every write.
pub async fn restoring_obeys_preconditions_and_unique_values(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("there", vec![unique("name", "a")])]).await;
    let absent = |write| when(write, Precondition::Absent);
    let result = bed.commit([absent(restore("there", 9, Vec::new()))]).await;
    assert_precondition(result, 0, Some(1));
    let result = bed.commit([when(restore("no", 9, Vec::new()), Precondition::Exists)]).await;
    assert_precondition(result, 0, None);
    let result = bed.commit([put("x"), restore("other", 9, vec![unique("name", "a")])]).await;
    assert_unique(result, 1, "name");
    assert_eq!((bed.version("there").await, bed.version("x").await), (Some(1), None));
    let taking = absent(restore("other", 9, vec![unique("name", "a")]));
    assert_eq!(bed.done([delete("there"), taking]).await, [0, 9]);
    assert_eq!(bed.done([when(put("other"), Precondition::Version(9))]).await, [10]);
}

/// One that has expired meanwhile is gone, and holds no value.
pub async fn what_expired_on_the_way_is_absent(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let mut late = restore("late", 5, vec![unique("name", "a"), plain("status", "x")]);
    if let Write::Restore { document, .. } = &mut late {
        document.expires_at = Some(bed.in_secs(0));
    }
    bed.done([late.clone()]).await;
    assert_eq!(bed.get("late").await, None);
    assert_eq!(bed.done([restore("other", 2, vec![unique("name", "a")])]).await, [2]);
    if let Write::Restore { document, .. } = &mut late {
        document.expires_at = Some(bed.in_secs(10));
    }
    assert_unique(bed.commit([late]).await, 0, "name");
    let mut brief = restore("brief", 6, Vec::new());
    if let Write::Restore { document, .. } = &mut brief {
        document.expires_at = Some(bed.in_secs(1));
    }
    bed.done([brief.clone()]).await;
    bed.clock.advance(Duration::from_secs(1));
    assert_eq!(bed.get("brief").await, None);
    // Over an expired one it starts with its own version too.
    if let Write::Restore { document, .. } = &mut brief {
        document.expires_at = None;
    }
    assert_eq!(bed.done([when(brief, Precondition::Absent)]).await, [6]);
    assert_eq!(bed.store.get(&boat("brief")).await.unwrap().map(|it| it.version), Some(6));
}

/// A version that no document has is refused.
pub async fn a_version_out_of_bounds_is_refused(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for version in [0, VERSION_MAX + 1] {
        let result = bed.commit([put("x"), restore("y", version, Vec::new())]).await;
        assert!(matches!(result, Err(StoreError::Bound { write: 1, .. })), "{result:?}");
    }
    assert_eq!(bed.get("x").await, None);
}
