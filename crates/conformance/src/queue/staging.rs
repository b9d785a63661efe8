//! Tasks in a batch of the store: with what causes them, or not at all.

use bytes::Bytes;
use outrigger_ports::queue::{Enqueued, NOT_UNIQUE, Status, Task};
use outrigger_ports::store::{Batch, Key, Precondition, StoreError, Write};

use super::QueueFactory;
use super::bed::{Bed, LONG, ids};

fn cause(id: &str, precondition: Precondition) -> Write {
    Write::Put {
        key: Key::new("rec.causes", id),
        body: Bytes::from_static(b"{}"),
        entries: Vec::new(),
        expires_at: None,
        precondition,
    }
}

fn batch(bed: &Bed, tasks: &[Task], precondition: Precondition) -> Batch {
    let staged = bed.queue(0).stage(tasks).unwrap();
    Batch::of(std::iter::once(cause("a", precondition)).chain(staged))
}

/// At once when the queue is told; enqueuing it as well is no second task.
pub async fn a_staged_task_is_there_with_its_batch(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let tasks = bed.tasks(3);
    let staged = batch(&bed, &tasks, Precondition::Absent);
    assert!(bed.claim(10).await.is_empty(), "staging alone does nothing");
    bed.opened.store.commit(staged).await.unwrap();
    bed.queue(0).committed(tasks.clone()).await.unwrap();
    bed.queue(1).committed(tasks.clone()).await.unwrap();
    let answer = bed.queue(1).enqueue(tasks.clone()).await.unwrap();
    assert_eq!(answer, vec![Enqueued::Known; 3]);
    let expected: Vec<String> = tasks.into_iter().map(|task| task.id).collect();
    assert_eq!(ids(&bed.claim(10).await), expected);
    assert!(bed.claim(10).await.is_empty());
}

/// However much time passes.
pub async fn a_staged_task_whose_batch_failed_is_not_there(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let tasks = bed.tasks(2);
    let staged = batch(&bed, &tasks, Precondition::Exists);
    let refused = bed.opened.store.commit(staged).await;
    assert!(matches!(refused, Err(StoreError::Precondition { write: 0, .. })), "{refused:?}");
    bed.pass(std::time::Duration::from_secs(2)).await;
    assert!(bed.claim(10).await.is_empty());
    for task in tasks {
        assert!(bed.board(0).find(&task.id).await.unwrap().is_none());
    }
}

/// Whoever committed it died before it could tell; another process finds it, once.
pub async fn a_committed_task_is_found_though_nobody_was_told(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let tasks = bed.tasks(3);
    bed.opened.store.commit(batch(&bed, &tasks, Precondition::Absent)).await.unwrap();
    let mut found = Vec::new();
    bed.until(async || {
        found.extend(ids(&bed.claim_for(10, LONG).await));
        (found.len() == 3).then_some(())
    })
    .await;
    let mut expected: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    bed.pass(std::time::Duration::from_secs(10)).await;
    assert!(bed.claim(10).await.is_empty(), "none comes twice");
}

/// It fails its batch; or, where the queue is not the store, it is kept as cancelled and says which
/// task has the key, however often it is passed on.
pub async fn a_staged_task_with_a_taken_unique_key_does_not_vanish(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let keyed = |task: Task| Task { unique_key: Some("k".to_owned()), ..task };
    let (holder, late) = (keyed(bed.task()), keyed(bed.task()));
    bed.enqueue(holder.clone()).await;
    let staged = batch(&bed, std::slice::from_ref(&late), Precondition::Absent);
    match bed.opened.store.commit(staged).await {
        Err(StoreError::Unique { write: 1, .. }) => {
            assert!(bed.board(0).find(&late.id).await.unwrap().is_none());
            return;
        }
        committed => committed.unwrap(),
    };
    let became = bed.queue(0).committed(vec![late.clone()]).await.unwrap();
    assert_eq!(became, [Enqueued::Duplicate { of: holder.id.clone() }]);
    let became = bed.queue(1).committed(vec![late.clone()]).await.unwrap();
    assert_eq!(became, [Enqueued::Known]);
    let kept = bed.find(&late.id).await;
    assert_eq!(kept.status, Status::Cancelled);
    let error = kept.error.unwrap();
    assert_eq!(error.code, NOT_UNIQUE);
    assert!(error.message.contains(&holder.id), "{}", error.message);
    let leased = bed.claim(10).await;
    assert_eq!(ids(&leased), [holder.id.as_str()]);
    bed.succeed(&leased[0]).await;
    bed.board(0).replay(&late.id).await.unwrap();
    assert_eq!(ids(&bed.claim(10).await), [late.id.as_str()]);
}
