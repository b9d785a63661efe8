//! What is over a bound is refused as a whole, and the bound is named.

use std::time::Duration;

use outrigger_kernel::limits;
use outrigger_ports::queue::{
    Claim, Failure, Heartbeat, KindLimits, Outcome, QueueError, Settlement, Status, Task,
};

use super::QueueFactory;
use super::bed::{Bed, KIND, LONG, QUEUE, json};

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, QueueError>, name: &str) {
    match answer {
        Err(QueueError::Bound(what)) => assert!(what.contains(name), "{what} names {name}"),
        other => panic!("{name}: {other:?}"),
    }
}

fn text(bytes: usize) -> Box<serde_json::value::RawValue> {
    json(&format!("\"{}\"", "x".repeat(bytes - 2)))
}

/// By enqueuing and by staging; nothing of the call is done.
pub async fn tasks_over_a_bound_are_refused_by_name(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let long = |bytes: usize| "k".repeat(bytes + 1);
    let name = long(limits::TASK_NAME_BYTES_MAX);
    let key = long(limits::TASK_UNIQUE_KEY_BYTES_MAX);
    let payload = text(limits::TASK_PAYLOAD_BYTES_MAX + 1);
    let task = || bed.task();
    let cases = [
        (Task { payload, ..task() }, "payload"),
        (Task { queue: name.clone(), ..task() }, "queue"),
        (Task { queue: "a b".to_owned(), ..task() }, "queue"),
        (Task { kind: name, ..task() }, "kind"),
        (Task { kind: String::new(), ..task() }, "kind"),
        (Task { unique_key: Some(key), ..task() }, "unique key"),
        (Task { priority: limits::TASK_PRIORITY_MAX + 1, ..task() }, "priority"),
        (Task { trace: Some(long(200)), ..task() }, "trace"),
        (Task { max_attempts: 0, ..task() }, "max_attempts"),
        (Task { id: "a/b".to_owned(), ..task() }, "id"),
    ];
    for (over, name) in cases {
        refused(bed.queue(0).stage(std::slice::from_ref(&over)), name);
        refused(bed.queue(0).enqueue(vec![task(), over]).await, name);
    }
    refused(bed.queue(0).enqueue(bed.tasks(limits::TASKS_MAX + 1)).await, "201 tasks");
    assert!(bed.claim(10).await.is_empty(), "nothing of it was enqueued");
}

/// Limit, lease, worker and names.
pub async fn claims_over_a_bound_are_refused_by_name(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.one().await;
    let kinds = [KindLimits::none(KIND)];
    let odd = [KindLimits::none("a b")];
    let long = "w".repeat(65);
    let claim = Claim { queue: QUEUE, kinds: &kinds, limit: 1, lease_for: LONG, worker: "w" };
    let cases = [
        (Claim { limit: 0, ..claim.clone() }, "limit"),
        (Claim { limit: limits::TASKS_MAX + 1, ..claim.clone() }, "limit"),
        (Claim { lease_for: Duration::from_millis(999), ..claim.clone() }, "lease"),
        (Claim { worker: "", ..claim.clone() }, "worker"),
        (Claim { worker: &long, ..claim.clone() }, "worker"),
        (Claim { queue: "", ..claim.clone() }, "queue"),
        (Claim { kinds: &odd, ..claim.clone() }, "kind"),
    ];
    for (over, name) in cases {
        refused(bed.queue(0).claim(&over).await, name);
    }
    assert_eq!(bed.queue(0).claim(&claim).await.unwrap().len(), 1);
}

/// Results and progress; the lease still holds.
pub async fn results_over_a_bound_are_refused_by_name(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.one().await;
    let leased = bed.claim_one().await;
    let over = || text(limits::TASK_RESULT_BYTES_MAX + 1);
    let lease = || leased.lease.clone();
    let outcome = Outcome::Succeeded { result: Some(over()) };
    refused(bed.queue(0).settle(vec![Settlement { lease: lease(), outcome }]).await, "result");
    let beat = Heartbeat { lease: lease(), progress: Some(over()) };
    refused(bed.queue(0).heartbeat(vec![beat], LONG).await, "progress");
    let beat = Heartbeat { lease: lease(), progress: None };
    refused(bed.queue(0).heartbeat(vec![beat], Duration::from_millis(10)).await, "lease");
    bed.succeed(&leased).await;
}

/// Payload, progress, result and errors, all as large as they may be.
pub async fn the_largest_task_goes_through(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let many = u32::try_from(limits::TASK_HISTORY_MAX).unwrap();
    let task = Task {
        payload: text(limits::TASK_PAYLOAD_BYTES_MAX),
        unique_key: Some("k".repeat(limits::TASK_UNIQUE_KEY_BYTES_MAX)),
        queue: QUEUE.to_owned(),
        max_attempts: many + 1,
        ..bed.task()
    };
    let id = bed.enqueue(task).await;
    for _ in 0..many {
        let leased = bed.claim_one().await;
        // A control character takes six bytes in JSON.
        let message = "\u{1}".repeat(limits::TASK_ERROR_BYTES_MAX);
        let error = Failure { code: "broken".to_owned(), message };
        let at = bed.now();
        bed.end(&leased, Outcome::Retry { error, at }).await;
    }
    let leased = bed.claim_one().await;
    let progress = Some(text(limits::TASK_RESULT_BYTES_MAX));
    let beat = Heartbeat { lease: leased.lease.clone(), progress };
    bed.queue(0).heartbeat(vec![beat], LONG).await.unwrap();
    let result = Some(text(limits::TASK_RESULT_BYTES_MAX));
    let record = bed.end(&leased, Outcome::Succeeded { result }).await;
    assert_eq!(record.status, Status::Succeeded);
    assert_eq!(record.result.unwrap().get().len(), limits::TASK_RESULT_BYTES_MAX);
    let record = bed.find(&id).await;
    assert_eq!(record.task.payload.get().len(), limits::TASK_PAYLOAD_BYTES_MAX);
    assert_eq!(record.progress.unwrap().get().len(), limits::TASK_RESULT_BYTES_MAX);
}

/// Between two characters.
pub async fn long_errors_are_cut_off(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    let message = format!("x{}", "\u{e9}".repeat(limits::TASK_ERROR_BYTES_MAX));
    let error = Failure { code: "broken".to_owned(), message };
    bed.end(&leased, Outcome::Failed { error }).await;
    let kept = bed.find(&id).await.error.unwrap();
    assert_eq!(kept.message.len(), limits::TASK_ERROR_BYTES_MAX - 1);
    assert!(kept.message.ends_with('\u{e9}'));
}
