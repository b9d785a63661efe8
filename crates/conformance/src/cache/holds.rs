//! Holds: writers keep readers from filling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use outrigger_ports::cache::{Cache, Hold, Lookup};

use super::CacheFactory;
use super::support::{LONG, SHORT, eventually, fill_fresh, leased};

const OLD: Bytes = Bytes::from_static(b"old");

fn key() -> [String; 1] {
    ["k".to_owned()]
}

async fn is_held(cache: &Arc<dyn Cache>, key: &str) -> bool {
    match cache.lookup(key, LONG).await.unwrap() {
        Lookup::Held => true,
        Lookup::Miss(_) | Lookup::Loading => false,
        Lookup::Hit(value) => panic!("{key} has the value {value:?}"),
    }
}

/// From the hold on the value is gone, on all instances.
pub async fn a_hold_removes_values_and_ends_leases(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let keys: Vec<String> = ["k1", "k2", "k3"].map(str::to_owned).into();
    fill_fresh(cache, "k1", b"old").await;
    let lease = leased(cache.lookup("k2", LONG).await);
    fill_fresh(cache, "other", b"kept").await;
    let hold = opened.instances[1].hold(&keys, LONG).await.unwrap();
    for cache in &opened.instances {
        for key in &keys {
            assert_eq!(cache.peek(key).await.unwrap(), None);
            assert_eq!(cache.lookup(key, LONG).await.unwrap(), Lookup::Held);
        }
        assert!(cache.peek("other").await.unwrap().is_some());
    }
    assert!(!cache.fill("k2", &lease, OLD, LONG).await.unwrap());
    cache.release(&keys, &hold).await.unwrap();
    for key in &keys {
        fill_fresh(cache, key, b"new").await;
    }
}

/// A lease from before the hold is of no use during it, nor ever after.
pub async fn no_fill_during_or_from_before_a_hold(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let (reader, writer) = (&opened.instances[0], &opened.instances[1]);
    let before = leased(reader.lookup("k", LONG).await);
    let hold = writer.hold(&key(), LONG).await.unwrap();
    assert!(!reader.fill("k", &before, OLD, LONG).await.unwrap());
    reader.abandon("k", &before).await.unwrap();
    assert!(is_held(reader, "k").await);
    writer.release(&key(), &hold).await.unwrap();
    assert!(!reader.fill("k", &before, OLD, LONG).await.unwrap());
    let after = leased(reader.lookup("k", LONG).await);
    assert!(!reader.fill("k", &before, OLD, LONG).await.unwrap());
    assert!(reader.fill("k", &after, Bytes::from_static(b"new"), LONG).await.unwrap());
    assert_eq!(reader.peek("k").await.unwrap(), Some(Bytes::from_static(b"new")));
}

/// Two writers: the key is free when both are done, in whatever order.
pub async fn overlapping_holds_end_with_the_last(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let (a, b) = (&opened.instances[0], &opened.instances[1]);
    for first_goes_first in [true, false] {
        let first = a.hold(&key(), LONG).await.unwrap();
        let second = b.hold(&key(), LONG).await.unwrap();
        assert_ne!(first, second);
        let (one, other) = if first_goes_first { (first, second) } else { (second, first) };
        a.release(&key(), &one).await.unwrap();
        assert!(is_held(a, "k").await && is_held(b, "k").await);
        b.release(&key(), &other).await.unwrap();
        fill_fresh(a, "k", b"new").await;
    }
}

/// When the writer dies, the hold is over after its time, and not before.
pub async fn a_hold_ends_by_itself(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    fill_fresh(cache, "k", b"old").await;
    let started = Instant::now();
    cache.hold(&key(), SHORT).await.unwrap();
    eventually(|| async {
        match cache.lookup("k", LONG).await.unwrap() {
            Lookup::Held => None,
            Lookup::Miss(_) => Some(()),
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert!(started.elapsed() + Duration::from_millis(5) >= SHORT, "over too early");
}

/// The end of one hold does not end another, whichever is the longer.
pub async fn of_overlapping_holds_each_has_its_own_time(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let (short_first, long_first) = (["a".to_owned()], ["b".to_owned()]);
    cache.hold(&short_first, SHORT).await.unwrap();
    let long_second = cache.hold(&short_first, LONG).await.unwrap();
    let long = cache.hold(&long_first, LONG).await.unwrap();
    cache.hold(&long_first, SHORT).await.unwrap();
    // This one began last and is as short, so when it is over the other short ones are.
    cache.hold(&["marker".to_owned()], SHORT).await.unwrap();
    eventually(|| async { (!is_held(cache, "marker").await).then_some(()) }).await;
    assert!(is_held(cache, "a").await && is_held(cache, "b").await);
    cache.release(&short_first, &long_second).await.unwrap();
    cache.release(&long_first, &long).await.unwrap();
    for key in ["a", "b"] {
        eventually(|| async { (!is_held(cache, key).await).then_some(()) }).await;
    }
}

/// A hold that is not there, or is released twice, frees nobody else's.
pub async fn only_the_own_hold_is_released(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let hold = cache.hold(&key(), LONG).await.unwrap();
    cache.release(&key(), &Hold(hold.0 ^ 1)).await.unwrap();
    assert!(is_held(cache, "k").await);
    cache.release(&key(), &hold).await.unwrap();
    let second = cache.hold(&key(), LONG).await.unwrap();
    cache.release(&key(), &hold).await.unwrap();
    assert!(is_held(cache, "k").await);
    cache.release(&key(), &second).await.unwrap();
    fill_fresh(cache, "k", b"new").await;
}

/// Of the keys of a hold some may be released and the others left.
pub async fn some_of_the_keys_are_released(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
    let hold = cache.hold(&keys, LONG).await.unwrap();
    cache.release(&keys[..30], &hold).await.unwrap();
    cache.release(&[], &hold).await.unwrap();
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(is_held(cache, key).await, n >= 30, "{key}");
    }
}

/// A writer that took longer than its hold removes what readers have filled meanwhile, and ends
/// the leases of those who are still loading.
pub async fn a_late_release_removes_what_came_after_the_hold(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let keys = ["filled".to_owned(), "loading".to_owned()];
    let hold = cache.hold(&keys, SHORT).await.unwrap();
    let lease_of = |key: &'static str| {
        eventually(move || async move {
            match cache.lookup(key, LONG).await.unwrap() {
                Lookup::Miss(lease) => Some(lease),
                Lookup::Held => None,
                other => panic!("{other:?}"),
            }
        })
    };
    let filled = lease_of("filled").await;
    assert!(cache.fill("filled", &filled, OLD, LONG).await.unwrap());
    let loading = lease_of("loading").await;
    cache.release(&keys, &hold).await.unwrap();
    assert_eq!(cache.peek("filled").await.unwrap(), None);
    assert!(!cache.fill("loading", &loading, OLD, LONG).await.unwrap());
    for key in ["filled", "loading"] {
        fill_fresh(cache, key, b"new").await;
    }
}
