//! What is known of a task, and for how long.

use outrigger_ports::queue::{Beat, Heartbeat, Outcome, Status, Task};

use super::QueueFactory;
use super::bed::{Bed, LONG, done, json};

/// Byte for byte; none is none.
pub async fn a_result_is_kept(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for result in [None, Some("null"), Some("{\"b\": 1.50,  \"a\": \"\u{e9}\\u0000\"}")] {
        bed.one().await;
        let leased = bed.claim_one().await;
        let record = bed.end(&leased, Outcome::Succeeded { result: result.map(json) }).await;
        assert_eq!(record.status, Status::Succeeded);
        let kept = record.result.as_ref().map(|result| result.get());
        // A result of null and no result may be the same.
        assert_eq!(kept.filter(|text| *text != "null"), result.filter(|text| *text != "null"));
    }
}

/// The last one counts; a heartbeat without one leaves it.
pub async fn progress_is_seen_while_the_task_runs(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    for progress in [Some("{\"done\":1}"), Some("{\"done\":2}"), None] {
        let beat = Heartbeat { lease: leased.lease.clone(), progress: progress.map(json) };
        assert_eq!(bed.queue(0).heartbeat(vec![beat], LONG).await.unwrap(), [Beat::Held]);
    }
    assert_eq!(bed.find(&id).await.progress.unwrap().get(), "{\"done\":2}");
    let stale = Heartbeat { lease: leased.lease.clone(), progress: Some(json("3")) };
    bed.succeed(&leased).await;
    assert_eq!(bed.queue(0).heartbeat(vec![stale], LONG).await.unwrap(), [Beat::Lost]);
    assert_eq!(bed.find(&id).await.progress.unwrap().get(), "{\"done\":2}");
}

/// And everything else of a task.
pub async fn payloads_are_kept_byte_for_byte(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let payload = "{\"z\": 1.0, \"a\":[1e400, \"\\u00e9\u{e9}\\n\\u0000\"],\n \"a\" : {}}";
    let task = Task {
        payload: json(payload),
        sealed: true,
        created_by: Some("usr_1".to_owned()),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        unique_key: Some("a b/\u{e9}".to_owned()),
        ..bed.task()
    };
    let text = |task: &Task| serde_json::to_string(task).unwrap();
    let expected = text(&task);
    let id = bed.enqueue(task).await;
    assert_eq!(text(&bed.find(&id).await.task), expected);
    let leased = bed.claim_one().await;
    assert_eq!(text(&leased.task), expected);
    bed.succeed(&leased).await;
    assert_eq!(text(&bed.find(&id).await.task), expected);
}

/// When it began and when it was finished, in that order.
pub async fn times_are_told(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let before = bed.now();
    let id = bed.one().await;
    let record = bed.find(&id).await;
    assert!(record.started_at.is_none() && record.finished_at.is_none());
    let leased = bed.claim_one().await;
    let started = bed.find(&id).await.started_at.unwrap();
    bed.succeed(&leased).await;
    let record = bed.find(&id).await;
    let finished = record.finished_at.unwrap();
    assert!(before <= started && started <= finished && finished <= bed.now());
    assert!(leased.until > started);
}

/// Not at once, but after its retention: then its id is free again.
pub async fn a_finished_task_is_forgotten(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let task = Task { retention_s: 2, ..bed.task() };
    let id = bed.enqueue(task.clone()).await;
    let leased = bed.claim_one().await;
    // It is not finished before this. When it was is not asked: by then it may be forgotten.
    let finished = bed.now();
    bed.succeed(&leased).await;
    bed.until(async || bed.board(0).find(&id).await.unwrap().is_none().then_some(())).await;
    assert!(bed.now() >= finished.plus(task.retention()));
    bed.enqueue(task).await;
    assert_eq!(bed.claim_one().await.task.id, id);
}

/// With the settlement.
pub async fn without_retention_a_task_is_forgotten_at_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { retention_s: 0, ..bed.task() }).await;
    let leased = bed.claim_one().await;
    assert!(bed.settle(&leased.lease, done()).await);
    assert!(!bed.settle(&leased.lease, done()).await);
    bed.until(async || bed.board(0).find(&id).await.unwrap().is_none().then_some(())).await;
}
