//! Reading while another process has the lease and is slow.

use super::*;
use async_trait::async_trait;
use futures_util::future::join_all;
use outrigger_kernel::{Error, SystemRandom};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cache::Hold;
use crate::probe::Probed;

const MINUTE: Duration = Duration::from_secs(60);

/// A cache in which somebody else is always loading.
#[derive(Debug)]
struct Loading;

#[async_trait]
impl Cache for Loading {
    async fn lookup(&self, _: &str, _: Duration) -> Result<Lookup, CacheError> {
        Ok(Lookup::Loading)
    }

    async fn peek(&self, _: &str) -> Result<Option<Bytes>, CacheError> {
        Ok(None)
    }

    async fn fill(&self, _: &str, _: &Lease, _: Bytes, _: Duration) -> Result<bool, CacheError> {
        panic!("nobody here has a lease")
    }

    async fn abandon(&self, _: &str, _: &Lease) -> Result<(), CacheError> {
        panic!("nobody here has a lease")
    }

    async fn hold(&self, _: &[String], _: Duration) -> Result<Hold, CacheError> {
        Ok(Hold(1))
    }

    async fn release(&self, _: &[String], _: &Hold) -> Result<(), CacheError> {
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, CacheError> {
        Ok(Probed::default())
    }
}

/// Loads for so many readers at once; what each got, and how many loads there were.
async fn read(fails: u32) -> (Vec<Result<Option<(Bytes, Source)>>>, u32) {
    let aside = CacheAside::new(Arc::new(Loading), Arc::new(SystemRandom));
    let loads = AtomicU32::new(0);
    let load = async || {
        let number = loads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if number < fails {
            return Err(Error::unavailable("test", "a test"));
        }
        Ok(Some(Bytes::from_static(b"v")))
    };
    let readers = (0..100).map(|_| aside.read("k", MINUTE, load()));
    let results = join_all(readers).await;
    (results, loads.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_process_loads_once_while_another_one_is_slow() {
    let (results, loads) = read(0).await;
    for result in results {
        let (value, source) = result.unwrap().unwrap();
        assert_eq!((&value[..], source), (&b"v"[..], Source::Miss { stored: false }));
    }
    // The first one for itself, and one for those who may not take what had begun before them.
    assert!(loads <= 2, "{loads} loads");
}

#[tokio::test(start_paused = true)]
async fn who_fails_fails_alone() {
    let (results, loads) = read(1).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(loads <= 3, "{loads} loads");
}
