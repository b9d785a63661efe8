//! Failovers under load: no acknowledged write is lost, no batch is halved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use outrigger_ports::store::Store;

use super::target::{Target, step_down};
use crate::support::{APPLY, Outcomes, clock, connect, is_two, until_back};

/// Writers at once; every other one writes batches.
const WRITERS: usize = 8;
/// How often the primary goes.
const ROUNDS: usize = 3;

async fn under_load(target: &Target, fail: impl AsyncFn()) {
    // Longer than an election takes.
    let store = Arc::new(connect(&target.url, clock(), Duration::from_secs(20)).await);
    store.migrate(APPLY).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let writers = (0..WRITERS).map(|writer| {
        let (store, over) = (Arc::clone(&store), Arc::clone(&over));
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
            }
            outcomes
        })
    });
    let writers: Vec<_> = writers.collect();
    for round in 0..ROUNDS {
        until_back(&*store, &format!("before{round}")).await;
        fail().await;
        until_back(&*store, &format!("after{round}")).await;
    }
    over.store(true, Ordering::SeqCst);
    let fresh = connect(&target.url, clock(), Duration::from_secs(20)).await;
    let mut done = 0;
    for outcomes in join_all(writers).await {
        let outcomes = outcomes.unwrap();
        done += outcomes.done.len();
        outcomes.check(&fresh).await;
    }
    assert!(done > WRITERS * ROUNDS, "{done} writes were done");
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
