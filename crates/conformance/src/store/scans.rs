//! The scan of a whole store.

use std::collections::BTreeSet;

use outrigger_ports::store::{Key, Scanned};

use super::StoreFactory;
use super::bed::{Bed, delete, plain, put, put_in, put_with, reindex, unique};

async fn scan_all(bed: &Bed, limit: usize) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    loop {
        let page = bed.store.scan(keys.last(), limit).await.unwrap();
        let full = page.len() == limit;
        keys.extend(page.into_iter().map(|scanned| scanned.document.key));
        assert!(keys.len() <= 1_000, "the scan does not end");
        if !full {
            return keys;
        }
    }
}

/// All live documents, ordered by collection, then id, bytewise; whole ones.
pub async fn a_scan_sees_all_collections_in_key_order(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let mut expected = Vec::new();
    for collection in ["sys.users", "rec.b", "rec.a", "rec.a2", "rec.A", "rec.a-b"] {
        for id in ["b", "a", "B", "0"] {
            bed.done([put_in(collection, put(id))]).await;
            expected.push(Key::new(collection, id));
        }
    }
    expected.sort();
    for limit in [1, 4, 7, 24, 100] {
        assert_eq!(scan_all(&bed, limit).await, expected, "limit {limit}");
    }
    for Scanned { document, .. } in bed.store.scan(None, 100).await.unwrap() {
        assert_eq!(bed.store.get(&document.key).await.unwrap(), Some(document));
    }
}

/// A scan may go on after a key that is not there.
pub async fn a_scan_goes_on_after_any_key(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_in("b", put("m")), put_in("d", put("m"))]).await;
    for (collection, id, left) in
        [("a", "z", 2), ("b", "a", 2), ("b", "m", 1), ("b", "z", 1), ("c", "a", 1), ("d", "m", 0)]
    {
        let page = bed.store.scan(Some(&Key::new(collection, id)), 10).await.unwrap();
        assert_eq!(page.len(), left, "after {collection} {id}");
    }
}

/// While others come and go, each document that stays is seen exactly once, others at most once.
pub async fn nothing_that_stays_is_skipped_or_repeated_by_a_scan(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for n in 0..30 {
        bed.done([put(&format!("d{n:02}"))]).await;
    }
    let mut seen: Vec<Key> = Vec::new();
    for round in 0.. {
        let page = bed.store.scan(seen.last(), 4).await.unwrap();
        let full = page.len() == 4;
        seen.extend(page.into_iter().map(|scanned| scanned.document.key));
        if !full {
            break;
        }
        bed.done([delete(&format!("d{:02}", round * 3)), put(&format!("d15x{round}"))]).await;
        assert!(round < 50, "the scan does not end");
    }
    let distinct: BTreeSet<&Key> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "repeated");
    for n in (0..30).filter(|n| n % 3 != 0) {
        assert!(distinct.iter().any(|key| key.id == format!("d{n:02}")), "d{n:02} is skipped");
    }
}

/// A scanned document has all its entries, as the last write left them, in the order of names.
pub async fn a_scan_gives_the_entries_of_each_document(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let (b, a) = (plain("b", "x"), unique("a", ""));
    bed.done([put_with("one", vec![b.clone(), a.clone()]), put("two")]).await;
    let entries = async || {
        let scanned = bed.store.scan(None, 10).await.unwrap();
        scanned.into_iter().map(|scanned| scanned.entries).collect::<Vec<_>>()
    };
    assert_eq!(entries().await, [vec![a.clone(), b.clone()], Vec::new()]);
    bed.done([reindex("one", vec![a.clone()]), reindex("two", vec![b.clone()])]).await;
    assert_eq!(entries().await, [vec![a], vec![b]]);
}
