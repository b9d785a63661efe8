//! Tasks that somebody does not want any more.

use std::time::Duration;

use outrigger_ports::queue::{Beat, Outcome, Status, Task, TaskRecord};

use super::QueueFactory;
use super::bed::{Bed, LONG, SHORT, failure};

async fn cancel(bed: &Bed, id: &str) -> TaskRecord {
    bed.board(0).cancel(id).await.unwrap().expect("the task is known")
}

/// Nobody gets it.
pub async fn a_waiting_task_is_cancelled_at_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let (id, other) = (bed.one().await, bed.one().await);
    let record = cancel(&bed, &id).await;
    assert_eq!((record.status, record.attempts), (Status::Cancelled, 0));
    assert!(record.finished_at.is_some());
    assert_eq!(bed.status(&id).await, Status::Cancelled);
    assert_eq!(bed.claim_one().await.task.id, other);
    assert!(bed.board(0).cancel("tsk_unknown").await.unwrap().is_none());
}

/// Its time changes nothing any more.
pub async fn a_scheduled_task_is_cancelled_at_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let at = bed.now().plus(Duration::from_secs(1));
    let id = bed.enqueue(Task { run_at: at, ..bed.task() }).await;
    assert_eq!(cancel(&bed, &id).await.status, Status::Cancelled);
    bed.pass(Duration::from_millis(1_500)).await;
    assert!(bed.claim(1).await.is_empty());
    assert_eq!(bed.status(&id).await, Status::Cancelled);
}

/// With its next sign of life, each time, until it ends.
pub async fn a_running_task_is_told(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Held);
    let record = cancel(&bed, &id).await;
    assert_eq!((record.status, record.cancel_requested), (Status::Running, true));
    assert_eq!(cancel(&bed, &id).await.status, Status::Running);
    for _ in 0..2 {
        assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Cancelled);
    }
    let record = bed.end(&leased, Outcome::Cancelled).await;
    assert_eq!(record.status, Status::Cancelled);
    assert!(record.finished_at.is_some());
}

/// Neither by a retry nor by a release.
pub async fn a_cancelled_task_does_not_come_back(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for at in [Some(Duration::ZERO), Some(Duration::from_secs(1)), None] {
        let id = bed.one().await;
        let leased = bed.claim_one().await;
        cancel(&bed, &id).await;
        let outcome = at.map_or(Outcome::Released, |at| Outcome::Retry {
            error: failure("no"),
            at: bed.now().plus(at),
        });
        assert_eq!(bed.end(&leased, outcome).await.status, Status::Cancelled);
    }
    bed.pass(Duration::from_millis(1_500)).await;
    assert!(bed.claim(1).await.is_empty());
}

/// Its worker was lost before it could say that it has stopped.
pub async fn a_lost_cancelled_task_does_not_come_back(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    bed.claim_one_for(SHORT).await;
    cancel(&bed, &id).await;
    let record = bed.until_status(&id, Status::Cancelled).await;
    assert_eq!(record.crashes, 1);
    assert!(bed.claim(1).await.is_empty());
}

/// It was too late.
pub async fn a_task_may_succeed_although_it_was_cancelled(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    cancel(&bed, &id).await;
    bed.succeed(&leased).await;
    assert_eq!(bed.status(&id).await, Status::Succeeded);
}

/// Whatever it was.
pub async fn a_finished_task_stays_as_it_is(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for outcome in [
        Outcome::Succeeded { result: None },
        Outcome::Failed { error: failure("no") },
        Outcome::Dead { error: failure("no") },
        Outcome::Cancelled,
    ] {
        let id = bed.one().await;
        let leased = bed.claim_one().await;
        let status = bed.end(&leased, outcome).await.status;
        let record = cancel(&bed, &id).await;
        assert_eq!((record.status, record.cancel_requested), (status, false));
    }
}
