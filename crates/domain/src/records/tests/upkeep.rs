//! Re-indexing and emptying in the background.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::json;

use super::super::{CollectionView, ListRequest};
use super::{Bench, admin, open_rules};

async fn collection(bench: &Bench) -> CollectionView {
    bench.records.get_collection(&admin(), "items").await.unwrap()
}

async fn count(bench: &Bench, name: &'static str, value: &'static str) -> Result<usize, String> {
    let pairs = [(Cow::from(name), Cow::from(value)), (Cow::from("limit"), Cow::from("100"))];
    let request = ListRequest::parse(pairs.into_iter()).unwrap();
    let page = bench.records.list(&admin(), "items", &request).await;
    page.map(|page| page.items.len()).map_err(|error| error.code().to_owned())
}

#[tokio::test]
async fn a_new_index_serves_once_every_record_is_in_it() {
    let bench = Bench::new();
    bench.define("items", json!({"rules": open_rules(), "indexes": ["a"]})).await;
    for n in 0..450 {
        bench.put("items", &format!("{n:05}"), json!({"a": n, "b": n % 9})).await;
    }
    bench.define("items", json!({"rules": open_rules(), "indexes": ["a", "b"]})).await;
    let before = collection(&bench).await.indexing.unwrap();
    assert_eq!((before.state, before.building.as_slice()), ("waiting", &["b".to_owned()][..]));
    assert_eq!(count(&bench, "b", "1").await, Err("index_building".to_owned()));
    assert_eq!(count(&bench, "a", "1").await, Ok(1));
    assert!(!bench.records.upkeep("w").await.unwrap(), "old definitions may still be in use");
    bench.clock.advance(Duration::from_secs(3));
    assert!(bench.records.upkeep("w").await.unwrap());
    let halfway = collection(&bench).await.indexing.unwrap();
    assert_eq!((halfway.state, halfway.records_done), ("running", 200));
    assert!(!bench.records.upkeep("other").await.unwrap(), "another holds the claim");
    bench.clock.advance(Duration::from_secs(60));
    while bench.records.upkeep("other").await.unwrap() {}
    assert_eq!(collection(&bench).await.indexing, None);
    assert_eq!(count(&bench, "b", "1").await, Ok(50));
    let version = bench.records.read(&admin(), "items", "00001").await.unwrap().etag.version;
    assert_eq!(version, 1, "re-indexing is no change of the record");
}

#[tokio::test]
async fn duplicates_stop_a_new_unique_index_and_are_named() {
    let bench = Bench::new();
    bench.define("items", json!({"rules": open_rules()})).await;
    bench.put("items", "x", json!({"k": 1})).await;
    bench.put("items", "y", json!({"k": 1})).await;
    bench.define("items", json!({"rules": open_rules(), "unique": ["k"]})).await;
    bench.clock.advance(Duration::from_secs(3));
    while bench.records.upkeep("w").await.unwrap() {}
    let failed = collection(&bench).await.indexing.unwrap();
    assert_eq!(failed.state, "failed");
    assert!(failed.error.unwrap().contains("record y"));
    bench.put("items", "y", json!({"k": 2})).await;
    bench.define("items", json!({"rules": open_rules(), "unique": ["k"]})).await;
    bench.clock.advance(Duration::from_secs(3));
    while bench.records.upkeep("w").await.unwrap() {}
    assert_eq!(collection(&bench).await.indexing, None);
    assert_eq!(count(&bench, "k", "2").await, Ok(1));
}

#[tokio::test]
async fn a_deleted_collection_is_emptied_and_its_name_is_free_at_once() {
    let bench = Bench::new();
    bench.define("items", json!({"rules": open_rules()})).await;
    for n in 0..450 {
        bench.put("items", &format!("{n:05}"), json!({})).await;
    }
    bench.records.delete_collection(&admin(), "items").await.unwrap();
    assert_eq!(count(&bench, "limit", "100").await, Err("not_found".to_owned()));
    bench.define("items", json!({"rules": open_rules()})).await;
    bench.put("items", "new", json!({})).await;
    bench.clock.advance(Duration::from_secs(3));
    while bench.records.upkeep("w").await.unwrap() {}
    assert_eq!(count(&bench, "limit", "100").await, Ok(1));
    let left = bench.records.store.scan(None, 1_000).await.unwrap();
    let records = left.iter().filter(|d| d.document.key.collection.starts_with("rec.")).count();
    assert_eq!(records, 1);
}
