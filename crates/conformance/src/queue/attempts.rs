//! Attempts, retries, lost workers and the end of it.

use outrigger_kernel::limits;
use outrigger_ports::queue::{Outcome, Status, Task};

use super::QueueFactory;
use super::bed::{Bed, LATER, LONG, SHORT, done, failure};

/// However often.
pub async fn a_claim_counts_and_a_release_takes_it_back(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    for _ in 0..5 {
        let leased = bed.claim_one().await;
        assert_eq!((leased.attempt, bed.find(&id).await.attempts), (1, 1));
        let record = bed.end(&leased, Outcome::Released).await;
        assert_eq!((record.status, record.attempts), (Status::Queued, 0));
        assert!(record.history.is_empty() && record.error.is_none());
    }
}

/// Not claimed before its time; neither an attempt nor an error is left of it.
pub async fn what_is_postponed_waits_and_has_not_been_tried(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    let at = bed.now().plus(LATER);
    let record = bed.end(&leased, Outcome::Postponed { at }).await;
    assert_eq!((record.status, record.attempts, record.run_at), (Status::Scheduled, 0, at));
    assert!(record.history.is_empty() && record.error.is_none());
    assert!(bed.claim(1).await.is_empty());
    let leased = bed.claim_when_due(LONG).await;
    assert!(bed.now() >= at);
    assert_eq!((&leased.task.id, leased.attempt), (&id, 1));
    bed.succeed(&leased).await;
}

/// Not before it, and with the error of the last attempt.
pub async fn a_retry_waits_for_its_time(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    let at = bed.now().plus(LATER);
    let record = bed.end(&leased, Outcome::Retry { error: failure("first"), at }).await;
    assert_eq!((record.status, record.attempts), (Status::Scheduled, 1));
    assert_eq!((record.run_at, record.error), (at, Some(failure("first"))));
    assert!(bed.claim(1).await.is_empty());
    let leased = bed.claim_when_due(LONG).await;
    assert!(bed.now() >= at);
    assert_eq!((&leased.task.id, leased.attempt), (&id, 2));
    let now = bed.now();
    let record = bed.end(&leased, Outcome::Retry { error: failure("second"), at: now }).await;
    assert_eq!(record.status, Status::Queued, "one that is due need not be promoted");
    let leased = bed.claim_one().await;
    assert_eq!(leased.attempt, 3);
    bed.succeed(&leased).await;
    let record = bed.find(&id).await;
    assert_eq!((record.status, record.error), (Status::Succeeded, None));
}

/// A retry without an attempt left is the end.
pub async fn the_last_attempt_that_fails_is_the_end(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { max_attempts: 2, ..bed.task() }).await;
    for attempt in 1..=2 {
        assert_eq!(bed.status(&id).await, Status::Queued);
        let leased = bed.claim_one().await;
        let at = bed.now();
        let error = failure(&format!("attempt {attempt}"));
        bed.end(&leased, Outcome::Retry { error, at }).await;
    }
    let record = bed.find(&id).await;
    assert_eq!((record.status, record.attempts), (Status::Dead, 2));
    assert_eq!(record.error, Some(failure("attempt 2")));
    assert!(record.finished_at.is_some());
    assert!(bed.claim(1).await.is_empty());
}

/// Whatever attempts are left.
pub async fn a_failure_for_good_is_told(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for (outcome, status) in [
        (Outcome::Failed { error: failure("x") }, Status::Failed),
        (Outcome::Dead { error: failure("x") }, Status::Dead),
    ] {
        bed.one().await;
        let leased = bed.claim_one().await;
        let record = bed.end(&leased, outcome).await;
        assert_eq!((record.status, record.error), (status, Some(failure("x"))));
        assert!(record.finished_at.is_some());
    }
    assert!(bed.claim(1).await.is_empty());
}

/// With number, worker, times and error; not of more than there is room for.
pub async fn the_history_tells_of_the_last_attempts(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { max_attempts: 100, ..bed.task() }).await;
    let many = u32::try_from(limits::TASK_HISTORY_MAX).unwrap() + 3;
    for number in 1..=many {
        let leased = bed.claim_one().await;
        assert_eq!(leased.attempt, number);
        let error = failure(&format!("attempt {number}"));
        let at = bed.now();
        bed.end(&leased, Outcome::Retry { error, at }).await;
    }
    let history = bed.find(&id).await.history;
    let numbers: Vec<u32> = history.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (4..=many).collect::<Vec<_>>());
    for attempt in history {
        assert_eq!(attempt.error, failure(&format!("attempt {}", attempt.number)));
        assert_eq!(attempt.worker, "worker-1");
        assert!(attempt.started_at <= attempt.ended_at);
    }
}

/// After so many crashes, though attempts are left.
pub async fn a_task_that_loses_its_workers_is_quarantined(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { max_attempts: 10, ..bed.task() }).await;
    for crash in 1..=limits::TASK_CRASHES_MAX {
        let leased = bed.claim_one_for(SHORT).await;
        assert_eq!(leased.attempt, crash);
        let record = bed
            .until(async || {
                let record = bed.find(&id).await;
                (record.status != Status::Running).then_some(record)
            })
            .await;
        let expected = if crash < limits::TASK_CRASHES_MAX { Status::Queued } else { Status::Dead };
        assert_eq!((record.status, record.crashes), (expected, crash));
    }
    let record = bed.find(&id).await;
    assert_eq!(record.error.unwrap().code, "worker_lost");
    assert_eq!(record.history.len(), 3);
    assert!(bed.claim(1).await.is_empty());
}

/// One crash is enough when there is no attempt left.
pub async fn a_lost_last_attempt_is_the_end(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { max_attempts: 1, ..bed.task() }).await;
    bed.claim_one_for(SHORT).await;
    let record = bed.until_status(&id, Status::Dead).await;
    assert_eq!((record.attempts, record.crashes), (1, 1));
}

/// As if it were new, with its history.
pub async fn a_dead_task_is_replayed_with_all_attempts(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { max_attempts: 1, ..bed.task() }).await;
    for _ in 0..3 {
        let leased = bed.claim_one().await;
        assert_eq!(leased.attempt, 1);
        let at = bed.now();
        let record = bed.end(&leased, Outcome::Retry { error: failure("no"), at }).await;
        assert_eq!(record.status, Status::Dead);
        let record = bed.board(0).replay(&id).await.unwrap().unwrap();
        assert_eq!((record.status, record.attempts, record.crashes), (Status::Queued, 0, 0));
        assert!(record.finished_at.is_none() && record.error.is_none());
    }
    let leased = bed.claim_one().await;
    bed.succeed(&leased).await;
    assert_eq!(bed.find(&id).await.history.len(), 3);
}

/// Failed and cancelled ones too; nothing that waits, runs or has succeeded.
pub async fn only_finished_tasks_that_failed_are_replayed(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let replay = async || bed.board(0).replay(&id).await.unwrap().unwrap().status;
    assert_eq!(replay().await, Status::Queued);
    let leased = bed.claim_one().await;
    assert_eq!(replay().await, Status::Running);
    bed.end(&leased, Outcome::Failed { error: failure("no") }).await;
    assert_eq!(replay().await, Status::Queued);
    bed.board(0).cancel(&id).await.unwrap();
    assert_eq!(replay().await, Status::Queued);
    let leased = bed.claim_one().await;
    bed.end(&leased, done()).await;
    assert_eq!(replay().await, Status::Succeeded);
    assert!(bed.claim(1).await.is_empty());
    assert!(bed.board(0).replay("tsk_unknown").await.unwrap().is_none());
}
