//! Failovers under load: no acknowledged write is lost, no batch is halved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_ports::store::Store;
use tokio::time::sleep;

use super::target::{Office, Target, step_down};
use crate::support::{APPLY, Outcomes, clock, connect, is_two};

/// Writers at once; every other one writes batches.
const WRITERS: usize = 8;
/// How often the primary goes.
const ROUNDS: usize = 3;
/// Every writer gets on within this time: some commits may wait for an election in vain first.
const GETS_ON_WITHIN: Duration = Duration::from_secs(120);

/// How many commits of each writer were acknowledged.
type Done = [AtomicUsize; WRITERS];

/// Waits until a commit of each writer was acknowledged that was begun after now.
async fn until_all_get_on(done: &Done, when: &str) {
    let now = || done.each_ref().map(|count| count.load(Ordering::SeqCst));
    let before = now();
    let started = Instant::now();
    // The next one may have been under way.
    while now().iter().zip(before).any(|(now, before)| *now < before + 2) {
        let waited = started.elapsed();
        assert!(waited < GETS_ON_WITHIN, "{when}: not all writers get on: {before:?}, {:?}", now());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn under_load(target: &Target, fail: impl AsyncFn() -> String) {
    // Longer than an election takes.
    let store = Arc::new(connect(&target.url, clock(), Duration::from_secs(20)).await);
    store.migrate(APPLY).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(Done::default());
    let writers = (0..WRITERS).map(|writer| {
        let (store, over, done) = (Arc::clone(&store), Arc::clone(&over), Arc::clone(&done));
        tokio::spawn(async move {
            let mut outcomes = Outcomes::default();
            for n in 0.. {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let kind = if writer % 2 == 0 { "one" } else { "two" };
                let id = format!("{kind}{writer}-{n}");
                let two = is_two(&id);
                outcomes.create(&*store, id, two).await;
                done[writer].store(outcomes.done.len(), Ordering::SeqCst);
            }
            outcomes
        })
    });
    let writers: Vec<_> = writers.collect();
    for round in 0..ROUNDS {
        until_all_get_on(&done, &format!("before round {round}")).await;
        let office = Office::now().await;
        let said = fail().await;
        let next = office.until_another(&said).await;
        until_all_get_on(&done, &format!("after round {round}, from {office:?} to {next:?}")).await;
    }
    over.store(true, Ordering::SeqCst);
    let fresh = connect(&target.url, clock(), Duration::from_secs(20)).await;
    for outcomes in join_all(writers).await {
        outcomes.unwrap().check(&fresh).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_steps_down_loses_no_acknowledged_write() {
    under_load(&Target::fresh(), step_down).await;
}

#[cfg(feature = "replica-set-kill")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_killed_loses_no_acknowledged_write() {
    under_load(&Target::fresh(), super::target::kill_primary).await;
}
