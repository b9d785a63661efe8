//! Values: what is filled is found, until its time is over.

use std::time::Instant;

use bytes::Bytes;
use outrigger_ports::cache::Lookup;

use super::CacheFactory;
use super::support::{LONG, SHORT, eventually, fill_fresh, leased};

/// What one instance has filled, all find.
pub async fn a_filled_value_is_seen_by_all(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    fill_fresh(&opened.instances[0], "seen", b"{\"a\":1}").await;
    for cache in &opened.instances {
        let value = Bytes::from_static(b"{\"a\":1}");
        assert_eq!(cache.lookup("seen", LONG).await.unwrap(), Lookup::Hit(value.clone()));
        assert_eq!(cache.peek("seen").await.unwrap(), Some(value));
        assert_eq!(cache.peek("seen2").await.unwrap(), None);
    }
}

/// Also the empty value, every byte, and a mebibyte.
pub async fn values_are_kept_byte_for_byte(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let bytes: Vec<u8> = (0..=255).collect();
    let large = vec![b'x'; 1024 * 1024];
    let values: [&[u8]; 7] = [b"", b"\0", b"0", b"nil", b"L1:x", &bytes, &large];
    for (n, value) in values.into_iter().enumerate() {
        let key = format!("bytes{n}");
        fill_fresh(cache, &key, value).await;
        match opened.instances[1].lookup(&key, LONG).await.unwrap() {
            Lookup::Hit(found) => assert!(found == value, "value {n} has changed"),
            other => panic!("value {n}: {other:?}"),
        }
    }
}

/// Keys are compared whole and byte by byte, up to 256 bytes.
pub async fn keys_are_any_text(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let long = "k".repeat(256);
    let keys = [
        "a",
        "A",
        "a ",
        "a:b",
        "{a}",
        "{a",
        "a}b",
        "{}",
        "é",
        "a\0b",
        "a\r\nb",
        "*",
        "[a]",
        &long[..255],
        &long,
    ];
    for key in keys {
        fill_fresh(cache, key, key.as_bytes()).await;
    }
    for key in keys {
        let value = Bytes::copy_from_slice(key.as_bytes());
        assert_eq!(cache.peek(key).await.unwrap(), Some(value), "{key:?}");
    }
    let all: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let hold = cache.hold(&all, LONG).await.unwrap();
    cache.release(&all, &hold).await.unwrap();
    for key in keys {
        assert_eq!(cache.peek(key).await.unwrap(), None, "{key:?}");
    }
}

/// A value is gone after its time to live, and not before.
pub async fn a_value_lives_for_its_time(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    fill_fresh(cache, "stays", b"1").await;
    let lease = leased(cache.lookup("goes", LONG).await);
    let started = Instant::now();
    assert!(cache.fill("goes", &lease, Bytes::from_static(b"2"), SHORT).await.unwrap());
    eventually(|| async { cache.peek("goes").await.unwrap().is_none().then_some(()) }).await;
    assert!(started.elapsed() + std::time::Duration::from_millis(5) >= SHORT, "gone too early");
    leased(cache.lookup("goes", LONG).await);
    assert!(cache.peek("stays").await.unwrap().is_some());
}

/// The probe of a healthy cache says who answers.
pub async fn the_cache_probe_answers(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    for cache in &opened.instances {
        assert!(!cache.probe().await.unwrap().version.is_empty());
    }
}
