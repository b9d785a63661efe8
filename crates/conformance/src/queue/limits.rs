//! Kinds that may run only so often, on all workers together.

use std::time::Duration;

use outrigger_ports::queue::{KindLimits, Leased, Outcome, Status};

use super::QueueFactory;
use super::bed::{Bed, KIND, LONG, SHORT, failure, ids};

async fn claim_by(bed: &Bed, worker: usize, kinds: &[KindLimits], limit: usize) -> Vec<Leased> {
    bed.claim_as(&format!("worker-{worker}"), kinds, limit, LONG).await
}

/// However many claim at once, and whatever ends a task frees its place.
pub async fn so_many_of_a_kind_run_at_once_on_all_workers(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.queue(0).enqueue(bed.tasks(60)).await.unwrap();
    let kinds = [KindLimits { concurrency: Some(3), ..KindLimits::none(KIND) }];
    let mut running: Vec<Leased> = Vec::new();
    let mut claimed = 0;
    for round in 0..12 {
        let (a, b, c) = tokio::join!(
            claim_by(&bed, 1, &kinds, 10),
            claim_by(&bed, 2, &kinds, 2),
            claim_by(&bed, 3, &kinds, 1)
        );
        let got = a.len() + b.len() + c.len();
        running.extend(a.into_iter().chain(b).chain(c));
        assert!(running.len() <= 3, "{} run at once", running.len());
        // Those who met may have gone away empty; alone nobody does.
        running.extend(claim_by(&bed, 4, &kinds, 10).await);
        assert_eq!(running.len(), 3, "round {round}, {got} at first");
        assert!(claim_by(&bed, 5, &kinds, 10).await.is_empty());
        claimed += 3;
        let at = bed.now();
        bed.end(&running.pop().unwrap(), Outcome::Retry { error: failure("no"), at }).await;
        bed.end(&running.pop().unwrap(), Outcome::Released).await;
        bed.succeed(&running.pop().unwrap()).await;
    }
    assert_eq!(claimed, 36);
}

/// When its lease has ended.
pub async fn a_lost_worker_frees_its_place(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.queue(0).enqueue(bed.tasks(4)).await.unwrap();
    let kinds = [KindLimits { concurrency: Some(2), ..KindLimits::none(KIND) }];
    let kept = claim_by(&bed, 1, &kinds, 1).await;
    let lost = bed.claim_as("worker-2", &kinds, 5, SHORT).await;
    assert_eq!((kept.len(), lost.len()), (1, 1));
    assert!(claim_by(&bed, 3, &kinds, 5).await.is_empty());
    let next = bed
        .until(async || {
            let next = claim_by(&bed, 3, &kinds, 5).await;
            (!next.is_empty()).then_some(next)
        })
        .await;
    assert_eq!(ids(&next), ids(&lost), "it came back, and one place was free");
    assert_eq!(bed.status(&kept[0].task.id).await, Status::Running);
}

/// All of the limit at once, then one by one as time passes.
pub async fn so_many_of_a_kind_start_in_a_time(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.queue(0).enqueue(bed.tasks(20)).await.unwrap();
    let period = Duration::from_secs(2);
    let kinds = [KindLimits { rate: Some((4, period)), ..KindLimits::none(KIND) }];
    let began = bed.now();
    let first = claim_by(&bed, 1, &kinds, 3).await;
    assert_eq!(first.len(), 3);
    let mut started = first.len();
    bed.until(async || {
        for worker in [2, 3] {
            let leased = claim_by(&bed, worker, &kinds, 20).await;
            started += leased.len();
            let passed = bed.now().since(began);
            // One more every half second.
            let most = 4 + passed.as_millis() / (period / 4).as_millis();
            assert!(started as u128 <= most, "{started} after {passed:?}");
        }
        (started >= 8).then_some(())
    })
    .await;
    let passed = bed.now().since(began);
    // By a real clock a busy machine takes its time.
    let is_real = bed.opened.clock.is_none();
    assert!(is_real || passed < period * 3, "four more took {passed:?}");
}

/// It has as many as it may, the other one goes on.
pub async fn a_limited_kind_does_not_hold_up_another(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut tasks = bed.tasks(20);
    for task in &mut tasks[10..] {
        "free".clone_into(&mut task.kind);
    }
    bed.queue(0).enqueue(tasks).await.unwrap();
    let limited = KindLimits { concurrency: Some(1), ..KindLimits::none(KIND) };
    let kinds = [limited, KindLimits::none("free")];
    let leased = claim_by(&bed, 1, &kinds, 20).await;
    let free = leased.iter().filter(|leased| leased.task.kind == "free").count();
    assert_eq!((leased.len(), free), (11, 10));
}
