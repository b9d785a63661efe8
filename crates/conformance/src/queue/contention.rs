//! Many at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_ports::queue::{Claim, KindLimits, Leased, Outcome, Settlement, Status};

use super::QueueFactory;
use super::bed::{Bed, KIND, LONG, QUEUE, SHORT, done, failure};

const TASKS: usize = 2_000;
const CLAIMERS: usize = 8;

fn claim<'a>(kinds: &'a [KindLimits], worker: &'a str, limit: usize) -> Claim<'a> {
    Claim { queue: QUEUE, kinds, limit, lease_for: LONG, worker }
}

fn settlement(leased: &Leased) -> Settlement {
    Settlement { lease: leased.lease.clone(), outcome: done() }
}

/// While others enqueue: none is claimed twice, none is left, nobody waits for ever.
pub async fn each_task_is_claimed_once_among_many_claimers(factory: &dyn QueueFactory) {
    let bed = Arc::new(Bed::of(factory).await);
    let claimed = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let began = Instant::now();
    let enqueuers = (0..2).map(|n| {
        let bed = bed.clone();
        tokio::spawn(async move {
            for _ in 0..TASKS / 2 / 50 {
                bed.queue(n).enqueue(bed.tasks(50)).await.unwrap();
            }
        })
    });
    let claimers = (0..CLAIMERS).map(|n| {
        let (bed, claimed) = (bed.clone(), claimed.clone());
        tokio::spawn(async move {
            let (kinds, worker) = ([KindLimits::none(KIND)], format!("worker-{n}"));
            let queue = bed.queue(n);
            while claimed.lock().unwrap().len() < TASKS {
                assert!(began.elapsed() < Duration::from_secs(450), "all are claimed in time");
                let leased = queue.claim(&claim(&kinds, &worker, 1 + n * 5)).await.unwrap();
                if leased.is_empty() {
                    queue.wait(&[QUEUE.to_owned()], Duration::from_millis(100)).await;
                    continue;
                }
                let settled = queue.settle(leased.iter().map(settlement).collect()).await.unwrap();
                assert!(settled.iter().all(|held| *held), "every lease held");
                let mut claimed = claimed.lock().unwrap();
                for leased in leased {
                    *claimed.entry(leased.task.id).or_default() += 1;
                }
            }
        })
    });
    for done in join_all(enqueuers.chain(claimers).collect::<Vec<_>>()).await {
        done.unwrap();
    }
    let claimed = claimed.lock().unwrap();
    assert!(claimed.values().all(|times| *times == 1), "each exactly once");
    assert_eq!(claimed.len(), TASKS);
}

/// Half of the claims are forgotten at once, as by workers that were killed: their tasks come again,
/// and every task succeeds exactly once.
pub async fn tasks_survive_workers_that_vanish(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let tasks: Vec<_> = bed
        .tasks(200)
        .into_iter()
        .map(|task| outrigger_ports::queue::Task { max_attempts: 100, ..task })
        .collect();
    bed.queue(0).enqueue(tasks.clone()).await.unwrap();
    let mut succeeded = HashSet::new();
    let mut vanished: Vec<Leased> = bed.claim_for(100, SHORT).await;
    vanished.extend(bed.claim_for(30, SHORT).await);
    assert_eq!(vanished.len(), 130);
    bed.until(async || {
        for leased in bed.claim_for(20, LONG).await {
            bed.succeed(&leased).await;
            assert!(succeeded.insert(leased.task.id), "it had not succeeded yet");
        }
        (succeeded.len() == tasks.len()).then_some(())
    })
    .await;
    let late = vanished.iter().map(settlement).collect();
    let refused = bed.queue(1).settle(late).await.unwrap();
    assert!(refused.iter().all(|held| !held), "no late settlement counts");
    let lost: HashSet<&str> = vanished.iter().map(|leased| leased.task.id.as_str()).collect();
    for task in &tasks {
        let record = bed.find(&task.id).await;
        let expected = if lost.contains(task.id.as_str()) { 2 } else { 1 };
        assert_eq!((record.status, record.attempts), (Status::Succeeded, expected));
    }
}

/// Of two that come at the same time with the same lease.
pub async fn one_of_two_settlements_holds(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for round in 0..20 {
        let id = bed.one().await;
        let lease = bed.claim_one().await.lease;
        let settle = async |n: usize, outcome: Outcome| {
            let settlement = Settlement { lease: lease.clone(), outcome };
            bed.queue(n).settle(vec![settlement]).await.unwrap()[0]
        };
        let (won, failed) =
            tokio::join!(settle(0, done()), settle(1, Outcome::Failed { error: failure("no") }));
        assert!(won != failed, "round {round}: exactly one holds");
        let expected = if won { Status::Succeeded } else { Status::Failed };
        assert_eq!(bed.status(&id).await, expected);
    }
}
