//! Cache-aside when loads fail, readers and writers die, or the cache is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use outrigger_kernel::{Error, ErrorKind, Result};
use outrigger_ports::cache::{Cache, Lookup};
use outrigger_ports::cached::{CacheAside, Source, Timing};
use tokio::sync::oneshot;

use super::CacheFactory;
use super::support::{Faulty, LONG, SHORT, aside, eventually, leased, patient, text};

fn keys() -> [String; 1] {
    ["k".to_owned()]
}

async fn read_now(aside: &CacheAside, value: &str) -> (String, Source) {
    let value = text(value);
    let (found, source) = aside.read("k", LONG, async { Ok(Some(value)) }).await.unwrap().unwrap();
    (String::from_utf8(found.to_vec()).unwrap(), source)
}

/// A reader whose load has begun and never ends.
async fn endless_reader(aside: &Arc<CacheAside>) -> tokio::task::JoinHandle<()> {
    let (began, begins) = oneshot::channel();
    let aside = aside.clone();
    let reader = tokio::spawn(async move {
        let load = async {
            began.send(()).unwrap();
            std::future::pending::<Result<Option<bytes::Bytes>>>().await
        };
        aside.read("k", LONG, load).await.unwrap();
    });
    begins.await.unwrap();
    reader
}

/// Who waited for a load that failed loads in its place, with the same lease; none of them hangs,
/// and each failed reader gets the error of its own load.
pub async fn a_failed_load_is_handed_to_the_next_reader(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let aside = patient(&opened.instances[0]);
    for failing in 1..=6 {
        let key = format!("k{failing}");
        let loads = Arc::new(AtomicUsize::new(0));
        let (go_on, goes_on) = tokio::sync::watch::channel(false);
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let (aside, loads, key) = (aside.clone(), loads.clone(), key.clone());
                let mut goes_on = goes_on.clone();
                tokio::spawn(async move {
                    let load = async {
                        let number = loads.fetch_add(1, Ordering::SeqCst);
                        goes_on.wait_for(|go| *go).await.unwrap();
                        if number < failing {
                            return Err(Error::unavailable("test", "the load failed"));
                        }
                        Ok(Some(text("value")))
                    };
                    aside.read(&key, LONG, load).await
                })
            })
            .collect();
        go_on.send(true).unwrap();
        let mut failed = 0;
        for reader in readers {
            match reader.await.unwrap() {
                Ok(value) => assert_eq!(value.unwrap().0, "value"),
                Err(error) => {
                    assert_eq!(error.code(), "test");
                    failed += 1;
                }
            }
        }
        assert_eq!(failed, failing);
        let last = aside.read(&key, LONG, async { Ok(Some(text("value"))) }).await.unwrap();
        assert_eq!(last.unwrap().0, "value");
    }
}

/// When loads go on failing, those who wait do not wait for each other: they all load at once.
pub async fn after_two_failed_loads_all_load_at_once(factory: &dyn CacheFactory) {
    const READERS: usize = 8;
    let opened = factory.open().await;
    let counted = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = counted.clone();
    let aside = patient(&cache);
    let loads = AtomicUsize::new(0);
    let (running, _) = tokio::sync::watch::channel(0_usize);
    let reads = join_all((0..READERS).map(|_| {
        aside.read("k", LONG, async {
            if loads.fetch_add(1, Ordering::SeqCst) < 2 {
                // All have joined by then, so that they wait for these loads and not for later ones.
                counted.answered(READERS).await;
                return Err(Error::unavailable("test", "the load failed"));
            }
            running.send_modify(|count| *count += 1);
            let all = |count: &usize| *count == READERS - 2;
            tokio::time::timeout(LONG / 10, running.subscribe().wait_for(all))
                .await
                .expect("the others load at the same time")
                .expect("the channel is open");
            Ok(Some(text("value")))
        })
    }));
    let failed = reads.await.iter().filter(|read| read.is_err()).count();
    assert_eq!(failed, 2);
}

/// Who waited for a reader that was dropped loads in its place, with its lease.
pub async fn a_dropped_load_is_handed_to_the_next_reader(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let counted = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = counted.clone();
    let aside = patient(&cache);
    let first = endless_reader(&aside).await;
    let others = join_all((0..4).map(|_| read_now(&aside, "value")));
    let (others, ()) = join(others, async {
        counted.answered(5).await;
        first.abort();
    })
    .await;
    for other in others {
        assert_eq!(other, ("value".into(), Source::Miss { stored: true }));
    }
    assert_eq!(read_now(&aside, "later").await, ("value".into(), Source::Hit));
}

/// A reader that is dropped while nobody waits leaves the key free.
pub async fn the_lease_of_a_dropped_lonely_reader_is_given_back(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let cache = &opened.instances[0];
    endless_reader(&patient(cache)).await.abort();
    // The lease is for much longer than this waits, so this is not its end by itself.
    eventually(|| async {
        matches!(cache.lookup("k", LONG).await.unwrap(), Lookup::Miss(_)).then_some(())
    })
    .await;
}

/// When another process takes too long to load, the value is loaded here and not filled.
pub async fn a_long_load_elsewhere_is_not_waited_for(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let lease = leased(opened.instances[0].lookup("k", LONG).await);
    let timing = Timing { wait_for: Duration::from_millis(30), ..Timing::default() };
    let impatient = aside(&opened.instances[1], timing);
    let here = read_now(&impatient, "mine").await;
    assert_eq!(here, ("mine".into(), Source::Miss { stored: false }));
    assert!(opened.instances[0].fill("k", &lease, text("theirs"), LONG).await.unwrap());
    assert_eq!(read_now(&impatient, "mine").await, ("theirs".into(), Source::Hit));
}

/// A writer that is dropped between hold and release, its commit having taken effect: readers go
/// to the store until the hold is over, and find the new value afterwards.
pub async fn a_dead_writer_leaves_no_old_value(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let timing = Timing { hold_for: SHORT, ..Timing::default() };
    let writers = aside(&opened.instances[0], timing);
    let readers = patient(&opened.instances[1]);
    assert_eq!(read_now(&readers, "old").await.1, Source::Miss { stored: true });
    let (committed, commits) = oneshot::channel();
    let writer = tokio::spawn(async move {
        let commit = async {
            committed.send(()).unwrap();
            std::future::pending::<Result<()>>().await
        };
        writers.write(&keys(), commit).await
    });
    commits.await.unwrap();
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    eventually(|| async {
        let (value, source) = read_now(&readers, "new").await;
        assert_eq!(value, "new");
        (source != Source::Bypass).then_some(())
    })
    .await;
    assert_eq!(read_now(&readers, "newer").await, ("new".into(), Source::Hit));
}

/// While a commit may still take effect, nobody caches the key.
pub async fn an_unknown_outcome_leaves_the_key_held(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let aside = patient(&opened.instances[0]);
    let unknown = || Error::new(ErrorKind::OutcomeUnknown, "outcome_unknown", "who knows");
    let error = aside.write(&keys(), async { Err::<(), _>(unknown()) }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(opened.instances[1].lookup("k", LONG).await.unwrap(), Lookup::Held);
    assert_eq!(read_now(&aside, "x").await, ("x".into(), Source::Bypass));
}

/// A commit that surely changed nothing leaves the key free at once.
pub async fn a_failed_commit_releases_the_key(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let aside = patient(&opened.instances[0]);
    let error =
        aside.write(&keys(), async { Err::<(), _>(Error::not_found("boat")) }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(read_now(&aside, "x").await, ("x".into(), Source::Miss { stored: true }));
}

/// Reads load, writes commit.
pub async fn without_the_cache_everything_goes_on(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let faulty = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = faulty.clone();
    let aside = patient(&cache);
    faulty.take_away();
    assert_eq!(read_now(&aside, "a").await, ("a".into(), Source::Bypass));
    assert_eq!(aside.write(&keys(), async { Ok(7) }).await.unwrap(), 7);
    assert_eq!(read_now(&aside, "b").await, ("b".into(), Source::Bypass));
    faulty.bring_back();
    assert_eq!(read_now(&aside, "c").await, ("c".into(), Source::Miss { stored: true }));
    assert_eq!(read_now(&aside, "d").await, ("c".into(), Source::Hit));
    // Away between lookup and fill: the value is given, though not kept.
    let read = aside.read("k2", LONG, async {
        faulty.take_away();
        Ok(Some(text("e")))
    });
    assert_eq!(read.await.unwrap().unwrap(), (text("e"), Source::Miss { stored: false }));
}

/// A value from before a write that the cache missed is not served by this process again; the
/// first use of the cache removes it for all.
pub async fn writes_that_the_cache_missed_are_made_good(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let faulty = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = faulty.clone();
    let aside = patient(&cache);
    let all: Vec<String> = (0..300).map(|n| format!("k{n}")).collect();
    for key in &all {
        aside.read(key, LONG, async { Ok(Some(text("old"))) }).await.unwrap();
    }
    let unknown = || Error::new(ErrorKind::OutcomeUnknown, "outcome_unknown", "who knows");
    faulty.take_away();
    aside.write(&all, async { Ok(()) }).await.unwrap();
    aside.write(&["u".to_owned()], async { Err::<(), _>(unknown()) }).await.unwrap_err();
    aside
        .write(&["f".to_owned()], async { Err::<(), _>(Error::not_found("x")) })
        .await
        .unwrap_err();
    faulty.bring_back();
    for key in &all {
        let read = aside.read(key, LONG, async { Ok(Some(text("new"))) }).await.unwrap();
        assert_eq!(read.unwrap().0, "new", "{key}");
    }
    // Some reads later all are made good, for the other instance too.
    for _ in 0..4 {
        read_now(&aside, "x").await;
    }
    for key in &all {
        assert_ne!(opened.instances[1].peek(key).await.unwrap(), Some(text("old")), "{key}");
    }
    // The commit whose outcome is not known may still take effect, so its key stays held.
    assert_eq!(opened.instances[1].lookup("u", LONG).await.unwrap(), Lookup::Held);
    leased(opened.instances[1].lookup("f", LONG).await);
}

/// The cache goes away between hold and release: the key is made good before it is used again.
pub async fn a_release_that_the_cache_missed_is_made_good(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let faulty = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = faulty.clone();
    let timing = Timing { hold_for: SHORT, ..Timing::default() };
    let aside = aside(&cache, timing);
    aside
        .write(&keys(), async {
            faulty.take_away();
            Ok(())
        })
        .await
        .unwrap();
    // The hold is over, and another process has filled the key before the commit took effect.
    let other = patient(&opened.instances[1]);
    eventually(|| async { (read_now(&other, "old").await.1 != Source::Bypass).then_some(()) })
        .await;
    faulty.bring_back();
    assert_eq!(read_now(&aside, "new").await, ("new".into(), Source::Miss { stored: true }));
    assert_eq!(read_now(&other, "newer").await, ("new".into(), Source::Hit));
}
