//! Documents one by one: reading, bodies, versions.

use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::limits;
use outrigger_ports::store::{Key, MigrateMode, Precondition};

use super::StoreFactory;
use super::bed::{Bed, boat, check, delete, put, put_in, put_with, reindex, unique, with_body};

/// What was never put is not there.
pub async fn what_is_not_there_is_none(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    assert_eq!(bed.get("nothing").await, None);
    assert_eq!(bed.store.get_many(&[boat("a"), boat("b")]).await.unwrap(), vec![None, None]);
    assert_eq!(bed.store.get_many(&[]).await.unwrap(), vec![]);
    assert_eq!(bed.store.scan(None, 10).await.unwrap(), vec![]);
}

/// `get_many` answers place by place, also for keys that are absent or named twice.
pub async fn get_many_keeps_order_and_absence(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put("a"), put("b"), put("c")]).await;
    let keys: Vec<Key> = ["c", "zz", "a", "c", "b"].map(boat).into();
    let got = bed.store.get_many(&keys).await.unwrap();
    let ids: Vec<_> = got.iter().map(|d| d.as_ref().map(|d| d.key.id.as_str())).collect();
    assert_eq!(ids, [Some("c"), None, Some("a"), Some("c"), Some("b")]);

    let many: Vec<String> = (0..limits::GET_MANY_MAX).map(|n| format!("n{n:03}")).collect();
    for some in many.chunks(limits::BATCH_MAX) {
        bed.done(some.iter().map(|id| put(id))).await;
    }
    let keys: Vec<Key> = many.iter().rev().map(|id| boat(id)).collect();
    let got = bed.store.get_many(&keys).await.unwrap();
    assert!(got.into_iter().map(|d| d.unwrap().key).eq(keys));
}

/// A body is text, not a value: order of fields, numbers and white space stay as they were sent.
pub async fn bodies_are_kept_byte_for_byte(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let bodies = [
        "{}",
        "null",
        " {\t\"a\" :\r\n 1.10 ,\"a\": -0.0, \"A\":1E+400 }\n\n",
        r#"{"nul":"\u0000","escaped":"\ud83d\ude00\/","quote":"\"\\'"}"#,
        "{\"text\":\"é ß 漢字 \u{1F6F6} \u{10FFFF} \u{7f} \u{feff}\"}",
        "{\"sql\":\"'; drop table documents; -- $1 ? :a %s {}\"}",
        "[123456789012345678901234567890, 0.1e-7]",
    ];
    for (n, body) in bodies.iter().enumerate() {
        let id = format!("body{n}");
        bed.done([with_body(put(&id), *body)]).await;
        let got = bed.get(&id).await.unwrap();
        assert_eq!(std::str::from_utf8(&got.body), Ok(*body));
        bed.done([with_body(put(&id), format!("{body} "))]).await;
        assert_eq!(bed.get(&id).await.unwrap().body, format!("{body} "));
    }
}

/// The largest body that the bounds allow is kept.
pub async fn the_largest_body_is_kept(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let mut body = b"{\"text\":\"".to_vec();
    body.resize(limits::DOCUMENT_BYTES_MAX - 2, b'x');
    body.extend_from_slice(b"\"}");
    let body = Bytes::from(body);
    bed.done([with_body(put("large"), body.clone())]).await;
    assert_eq!(bed.get("large").await.unwrap().body, body);
}

/// A version is 1 after the creation and one more after each put; a deleted document starts anew.
pub async fn versions_start_at_one_and_count_puts(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for version in 1..=5 {
        assert_eq!(bed.done([put("a")]).await, [version]);
        assert_eq!(bed.version("a").await, Some(version));
    }
    bed.done([delete("a")]).await;
    assert_eq!(bed.version("a").await, None);
    assert_eq!(bed.done([put("a")]).await, [1]);
}

/// `commit` returns what each write left behind, in the order of the writes.
pub async fn commit_returns_the_version_of_each_write(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put("a"), put("b"), put("c"), put("d")]).await;
    bed.done([put("b"), put("c")]).await;
    bed.done([put("c")]).await;
    let versions = bed
        .done([
            check("c", Precondition::Any),
            put("new"),
            reindex("b", vec![unique("name", "b")]),
            delete("a"),
            put("d"),
            check("absent", Precondition::Any),
            reindex("absent2", vec![unique("name", "x")]),
            delete("absent3"),
        ])
        .await;
    assert_eq!(versions, [3, 1, 2, 0, 2, 0, 0, 0]);
    assert_eq!(bed.version("absent2").await, None);
}

/// A commit through one handle is seen by the next read of every other.
pub async fn every_handle_sees_a_commit(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for n in 0..20_usize {
        bed.handle(n).commit(outrigger_ports::store::Batch::of([put("a")])).await.unwrap();
        for other in &bed.opened.handles {
            let seen = other.get(&boat("a")).await.unwrap().map(|d| d.version);
            assert_eq!(seen, Some(n as u64 + 1));
        }
    }
}

/// The same id in two collections names two documents.
pub async fn collections_are_separate(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let other = put_in("rec.boats2", put_with("a", vec![unique("name", "a")]));
    bed.done([put_with("a", vec![unique("name", "a")]), other]).await;
    assert_eq!(bed.done([put("a")]).await, [2]);
    let there = bed.store.get(&Key::new("rec.boats2", "a")).await.unwrap().unwrap();
    assert_eq!((there.version, there.key.collection.as_str()), (1, "rec.boats2"));
    bed.done([delete("a")]).await;
    assert!(bed.store.get(&Key::new("rec.boats2", "a")).await.unwrap().is_some());
}

/// A migrated store has all migrations; applying them again changes nothing.
pub async fn migrating_twice_is_as_once(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put("a")]).await;
    let plan = bed.store.migrate(MigrateMode::Plan).await.unwrap();
    assert!(plan.iter().all(|migration| migration.applied), "{plan:?}");
    let mode = MigrateMode::Apply { wait: Duration::from_secs(60) };
    assert_eq!(bed.store.migrate(mode).await.unwrap(), plan);
    assert_eq!(bed.version("a").await, Some(1));
}

/// The probe of a healthy store says who answers.
pub async fn the_probe_answers(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for handle in &bed.opened.handles {
        assert!(!handle.probe().await.unwrap().version.is_empty());
    }
}
