//! Leases: who may fill.

use bytes::Bytes;
use futures_util::future::join_all;
use outrigger_ports::cache::{Lease, Lookup};

use super::CacheFactory;
use super::support::{LONG, SHORT, eventually, leased};

const NEW: Bytes = Bytes::from_static(b"new");
const OLD: Bytes = Bytes::from_static(b"old");

/// Who comes second learns that the value is on its way.
pub async fn a_miss_gives_one_lease_at_a_time(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let lease = leased(cache.lookup("k", LONG).await);
    for other in &opened.instances {
        assert_eq!(other.lookup("k", LONG).await.unwrap(), Lookup::Loading);
    }
    // Another key is another matter.
    leased(cache.lookup("k2", LONG).await);
    assert!(cache.fill("k", &lease, NEW, LONG).await.unwrap());
    assert_eq!(cache.lookup("k", LONG).await.unwrap(), Lookup::Hit(NEW));
}

/// Of many misses at the same time, on all instances, exactly one gets the lease.
pub async fn one_of_concurrent_misses_gets_the_lease(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    for round in 0..20 {
        let lookups = (0..16).map(|n| {
            let cache = opened.instances[n % opened.instances.len()].clone();
            tokio::spawn(async move { cache.lookup(&format!("k{round}"), LONG).await.unwrap() })
        });
        let answers: Vec<Lookup> =
            join_all(lookups).await.into_iter().map(|done| done.unwrap()).collect();
        let leases = answers.iter().filter(|a| matches!(a, Lookup::Miss(_))).count();
        let waiting = answers.iter().filter(|a| **a == Lookup::Loading).count();
        assert_eq!((leases, waiting), (1, 15), "{answers:?}");
    }
}

/// `peek` leaves the lease to who wants to load.
pub async fn peeking_gives_no_lease(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    assert_eq!(cache.peek("k").await.unwrap(), None);
    let lease = leased(cache.lookup("k", LONG).await);
    assert_eq!(cache.peek("k").await.unwrap(), None);
    assert!(cache.fill("k", &lease, NEW, LONG).await.unwrap());
}

/// A fill needs the lease of this key, which is used up by it.
pub async fn a_lease_is_for_one_fill_of_one_key(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    assert!(!cache.fill("k", &Lease(77), OLD, LONG).await.unwrap());
    let lease = leased(cache.lookup("k", LONG).await);
    let other = leased(cache.lookup("k2", LONG).await);
    assert_ne!(lease, other);
    assert!(!cache.fill("k", &other, OLD, LONG).await.unwrap());
    assert!(!cache.fill("k2", &lease, OLD, LONG).await.unwrap());
    assert!(opened.instances[1].fill("k", &lease, NEW, LONG).await.unwrap());
    assert!(!cache.fill("k", &lease, OLD, LONG).await.unwrap());
    assert_eq!(cache.peek("k").await.unwrap(), Some(NEW));
    assert!(cache.fill("k2", &other, OLD, LONG).await.unwrap());
}

/// When who loads does not come back, another one may, and the first is too late.
pub async fn a_lease_ends_by_itself(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let first = leased(cache.lookup("k", SHORT).await);
    let second = eventually(|| async {
        match cache.lookup("k", LONG).await.unwrap() {
            Lookup::Miss(lease) => Some(lease),
            Lookup::Loading => None,
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert_ne!(first, second);
    assert!(!cache.fill("k", &first, OLD, LONG).await.unwrap());
    assert_eq!(cache.lookup("k", LONG).await.unwrap(), Lookup::Loading);
    assert!(cache.fill("k", &second, NEW, LONG).await.unwrap());
    assert_eq!(cache.peek("k").await.unwrap(), Some(NEW));
    // A lease that has ended and was not given to another is no good either.
    let third = leased(cache.lookup("k3", SHORT).await);
    let marker = leased(cache.lookup("marker", SHORT).await);
    eventually(|| async {
        matches!(cache.lookup("marker", LONG).await.unwrap(), Lookup::Miss(_)).then_some(())
    })
    .await;
    assert!(!cache.fill("marker", &marker, OLD, LONG).await.unwrap());
    assert!(!cache.fill("k3", &third, OLD, LONG).await.unwrap());
}

/// An abandoned lease is over at once; only its owner can abandon it.
pub async fn an_abandoned_lease_goes_to_the_next(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    let first = leased(cache.lookup("k", LONG).await);
    cache.abandon("k", &Lease(first.0 ^ 1)).await.unwrap();
    assert_eq!(cache.lookup("k", LONG).await.unwrap(), Lookup::Loading);
    cache.abandon("k", &first).await.unwrap();
    assert!(!cache.fill("k", &first, OLD, LONG).await.unwrap());
    let second = leased(opened.instances[1].lookup("k", LONG).await);
    cache.abandon("k", &first).await.unwrap();
    assert!(cache.fill("k", &second, NEW, LONG).await.unwrap());
    // A value is not abandoned.
    cache.abandon("k", &second).await.unwrap();
    assert_eq!(cache.peek("k").await.unwrap(), Some(NEW));
}
