//! Cache-aside with two instances, as two processes: one load, no old values.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use outrigger_kernel::Result;
use outrigger_ports::cache::Cache;
use outrigger_ports::cached::{CacheAside, Source};
use tokio::sync::{oneshot, watch};

use super::CacheFactory;
use super::support::{Faulty, LONG, patient, text};

type Read = Result<Option<(Bytes, Source)>>;

fn keys() -> [String; 1] {
    ["k".to_owned()]
}

/// Reads with a load that gives this at once.
async fn read_now(aside: &CacheAside, value: &str) -> (String, Source) {
    let value = text(value);
    let (found, source) = aside.read("k", LONG, async { Ok(Some(value)) }).await.unwrap().unwrap();
    (String::from_utf8(found.to_vec()).unwrap(), source)
}

/// A reader whose load has begun with this value, and goes on when told to.
async fn slow_reader(
    aside: &Arc<CacheAside>,
    value: Option<&'static str>,
) -> (tokio::task::JoinHandle<Read>, oneshot::Sender<()>) {
    let (began, begins) = oneshot::channel();
    let (go_on, goes_on) = oneshot::channel();
    let aside = aside.clone();
    let reader = tokio::spawn(async move {
        let load = async {
            began.send(()).expect("the test waits for the load");
            goes_on.await.expect("the test tells the load to go on");
            Ok(value.map(text))
        };
        aside.read("k", LONG, load).await
    });
    begins.await.expect("the load begins");
    (reader, go_on)
}

/// However many readers on however many instances miss at once, one of them loads.
pub async fn concurrent_misses_load_once_across_instances(factory: &dyn CacheFactory) {
    const READERS: usize = 60;
    let opened = factory.open().await;
    let asides = [patient(&opened.instances[0]), patient(&opened.instances[1])];
    for round in 0..5 {
        let loads = Arc::new(AtomicUsize::new(0));
        let (begun, mut all_begun) = watch::channel(0);
        let begun = Arc::new(begun);
        let readers: Vec<_> = (0..READERS)
            .map(|n| {
                let (aside, loads) = (asides[n % 2].clone(), loads.clone());
                let (begun, mut gate) = (begun.clone(), begun.subscribe());
                tokio::spawn(async move {
                    begun.send_modify(|count| *count += 1);
                    let load = async {
                        loads.fetch_add(1, Ordering::SeqCst);
                        // The load is not done before every reader has begun.
                        gate.wait_for(|count| *count == READERS).await.unwrap();
                        Ok(Some(text("value")))
                    };
                    aside.read(&format!("k{round}"), LONG, load).await
                })
            })
            .collect();
        all_begun.wait_for(|count| *count == READERS).await.unwrap();
        for read in join_all(readers).await {
            let (value, source) = read.unwrap().unwrap().unwrap();
            assert_eq!(value, "value");
            assert_ne!(source, Source::Bypass);
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1, "round {round}");
    }
}

/// A writer invalidates while a reader is still loading: the old value does not get in.
pub async fn a_slow_reader_cannot_put_back_an_old_value(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let asides = [patient(&opened.instances[0]), patient(&opened.instances[1])];
    let (reader, go_on) = slow_reader(&asides[0], Some("old")).await;
    asides[1].write(&keys(), async { Ok(()) }).await.unwrap();
    go_on.send(()).unwrap();
    let (value, source) = reader.await.unwrap().unwrap().unwrap();
    assert_eq!((value, source), (text("old"), Source::Miss { stored: false }));
    assert_eq!(read_now(&asides[0], "new").await, ("new".into(), Source::Miss { stored: true }));
    assert_eq!(read_now(&asides[1], "newer").await, ("new".into(), Source::Hit));
}

/// In the process of the writer: a reader that comes after the write loads for itself, although
/// an older load is still going on.
pub async fn a_reader_after_a_write_does_not_share_a_load_from_before(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let aside = patient(&opened.instances[0]);
    let (reader, go_on) = slow_reader(&aside, Some("old")).await;
    aside.write(&keys(), async { Ok(()) }).await.unwrap();
    assert_eq!(read_now(&aside, "new").await, ("new".into(), Source::Miss { stored: true }));
    go_on.send(()).unwrap();
    reader.await.unwrap().unwrap();
    assert_eq!(read_now(&aside, "newer").await, ("new".into(), Source::Hit));
}

/// The write was elsewhere and another process has the new lease: who joins the old load here
/// must not get what it gives.
pub async fn a_reader_after_a_write_elsewhere_does_not_share_a_load_from_before(
    factory: &dyn CacheFactory,
) {
    for old in [Some("old"), None] {
        let opened = factory.open().await;
        let counted = Faulty::new(&opened.instances[0]);
        let cache: Arc<dyn Cache> = counted.clone();
        let asides = [patient(&cache), patient(&opened.instances[1])];
        let (old_reader, old_goes_on) = slow_reader(&asides[0], old).await;
        asides[1].write(&keys(), async { Ok(()) }).await.unwrap();
        let (new_reader, new_goes_on) = slow_reader(&asides[1], Some("new")).await;
        // The late one looks the key up, learns that it is being loaded, and finds the old load.
        let late = read_now(&asides[0], "new");
        let others = async {
            counted.answered(2).await;
            old_goes_on.send(()).unwrap();
            old_reader.await.unwrap().unwrap();
        };
        let ((value, source), ()) = join(late, others).await;
        assert_eq!((value.as_str(), source), ("new", Source::Miss { stored: false }));
        new_goes_on.send(()).unwrap();
        new_reader.await.unwrap().unwrap();
    }
}

/// A load that finds nothing cannot be shared with who came during it; one more load serves all.
pub async fn nothing_is_shared_but_loaded_once_more_for_all(factory: &dyn CacheFactory) {
    const READERS: usize = 30;
    let opened = factory.open().await;
    let counted = Faulty::new(&opened.instances[0]);
    let cache: Arc<dyn Cache> = counted.clone();
    let aside = patient(&cache);
    let (first, go_on) = slow_reader(&aside, None).await;
    let loads = AtomicUsize::new(0);
    let readers = join_all((0..READERS).map(|_| {
        aside.read("k", LONG, async {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(None)
        })
    }));
    let others = async {
        counted.answered(1 + READERS).await;
        assert_eq!(loads.load(Ordering::SeqCst), 0, "they wait for the first");
        go_on.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), None);
    };
    let (reads, ()) = join(readers, others).await;
    assert!(reads.into_iter().all(|read| read.unwrap().is_none()));
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

/// Nothing is no value: the next reader asks the store again, and what is there then is cached.
pub async fn what_is_not_there_is_not_cached(factory: &dyn CacheFactory) {
    let opened = factory.open().await;
    let asides = [patient(&opened.instances[0]), patient(&opened.instances[1])];
    for aside in [&asides[0], &asides[1], &asides[0]] {
        assert_eq!(aside.read("k", LONG, async { Ok(None) }).await.unwrap(), None);
    }
    assert_eq!(read_now(&asides[1], "new").await, ("new".into(), Source::Miss { stored: true }));
    assert_eq!(read_now(&asides[0], "newer").await, ("new".into(), Source::Hit));
    let zero = std::time::Duration::ZERO;
    let past = asides[0].read("k", zero, async { Ok(Some(text("past"))) }).await.unwrap();
    assert_eq!(past, Some((text("past"), Source::Bypass)));
}

/// Readers and writers on two instances, in disorder: every read gives what the last write that
/// was acknowledged before it left, or something newer.
pub async fn readers_never_see_what_is_older_than_the_last_acknowledged_write(
    factory: &dyn CacheFactory,
) {
    let opened = factory.open().await;
    let asides = [patient(&opened.instances[0]), patient(&opened.instances[1])];
    let stored = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let hits = Arc::new(AtomicUsize::new(0));
    let writers = (0..2_usize).map(|n| {
        let (aside, stored, acknowledged) =
            (asides[n].clone(), stored.clone(), acknowledged.clone());
        tokio::spawn(async move {
            for round in 0..60_usize {
                let commit = async {
                    yields(round % 4).await;
                    let version = stored.fetch_add(1, Ordering::SeqCst) + 1;
                    yields(round % 3).await;
                    Ok(version)
                };
                let version = aside.write(&keys(), commit).await.unwrap();
                acknowledged.fetch_max(version, Ordering::SeqCst);
                yields(round % 7 * 3).await;
            }
        })
    });
    let readers = (0..8_usize).map(|n| {
        let (aside, stored, acknowledged, hits) =
            (asides[n % 2].clone(), stored.clone(), acknowledged.clone(), hits.clone());
        tokio::spawn(async move {
            for round in 0..150_usize {
                let least = acknowledged.load(Ordering::SeqCst);
                let load = async {
                    yields((round + n) % 3).await;
                    let version = stored.load(Ordering::SeqCst);
                    yields((round * n) % 5).await;
                    Ok(Some(Bytes::from(version.to_string())))
                };
                let (value, source) = aside.read("k", LONG, load).await.unwrap().unwrap();
                let version: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                assert!(version >= least, "{version} after {least} was acknowledged ({source:?})");
                hits.fetch_add(usize::from(source == Source::Hit), Ordering::SeqCst);
            }
        })
    });
    let all: Vec<_> = writers.chain(readers).collect();
    for done in join_all(all).await {
        done.unwrap();
    }
    assert!(hits.load(Ordering::SeqCst) > 0, "the cache is of no use");
}

async fn yields(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}
