//! A task is in the queue once.

use std::time::Duration;

use outrigger_ports::queue::{Enqueued, Outcome, Status, Task};

use super::QueueFactory;
use super::bed::{Bed, LONG, done, failure, ids};

fn keyed(bed: &Bed, key: &str) -> Task {
    Task { unique_key: Some(key.to_owned()), ..bed.task() }
}

/// While it waits, runs, and is finished; not even the rest of the task.
pub async fn a_known_id_changes_nothing(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let task = bed.task();
    bed.enqueue(task.clone()).await;
    let again = async |n: usize| {
        let changed = Task { priority: 9, queue: "other".to_owned(), ..task.clone() };
        let answer = bed.queue(n).enqueue(vec![changed, bed.task()]).await.unwrap();
        assert_eq!(answer, [Enqueued::Known, Enqueued::New]);
    };
    again(0).await;
    let leased = bed.claim(1).await.remove(0);
    assert_eq!((&leased.task.id, leased.task.priority), (&task.id, 5));
    again(1).await;
    bed.succeed(&leased).await;
    again(0).await;
    assert_eq!(bed.status(&task.id).await, Status::Succeeded);
    assert_eq!(bed.claim(10).await.len(), 3, "only the new ones wait");
}

/// The first counts.
pub async fn the_same_id_twice_in_one_call_is_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let task = bed.task();
    let second = Task { priority: 9, ..task.clone() };
    let answer = bed.queue(0).enqueue(vec![task.clone(), second, bed.task()]).await.unwrap();
    assert_eq!(answer, [Enqueued::New, Enqueued::Known, Enqueued::New]);
    assert_eq!(bed.claim(10).await.len(), 2);
    assert_eq!(bed.find(&task.id).await.task.priority, 5);
}

/// Through every status that is not the last one; freed by each of those that are.
pub async fn a_unique_key_is_held_until_the_task_is_finished(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let ends = [
        done(),
        Outcome::Failed { error: failure("no") },
        Outcome::Dead { error: failure("no") },
        Outcome::Cancelled,
    ];
    for (round, end) in ends.into_iter().enumerate() {
        let delayed = Task {
            run_at: bed.now().plus(Duration::from_millis(1_200)),
            max_attempts: 10,
            ..keyed(&bed, "invoice/1")
        };
        let id = bed.enqueue(delayed).await;
        let refused = async || {
            let answer = bed.queue(round).enqueue(vec![keyed(&bed, "invoice/1")]).await.unwrap();
            assert_eq!(answer, [Enqueued::Duplicate { of: id.clone() }]);
        };
        refused().await;
        let leased = bed.claim_when_due(LONG).await;
        refused().await;
        let at = bed.now().plus(Duration::from_secs(1));
        bed.end(&leased, Outcome::Retry { error: failure("again"), at }).await;
        refused().await;
        let leased = bed.claim_when_due(LONG).await;
        bed.end(&leased, Outcome::Released).await;
        refused().await;
        let leased = bed.claim_one().await;
        assert_eq!(leased.task.id, id);
        bed.end(&leased, end).await;
    }
    let queued = bed.enqueue(keyed(&bed, "invoice/1")).await;
    bed.board(0).cancel(&queued).await.unwrap();
    bed.enqueue(keyed(&bed, "invoice/1")).await;
}

/// The first counts, and the others name it.
pub async fn the_same_unique_key_twice_in_one_call_is_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let first = keyed(&bed, "a");
    let tasks =
        vec![first.clone(), keyed(&bed, "b"), keyed(&bed, "a"), bed.task(), keyed(&bed, "a")];
    let of = || Enqueued::Duplicate { of: first.id.clone() };
    let answer = bed.queue(0).enqueue(tasks).await.unwrap();
    assert_eq!(answer, [Enqueued::New, Enqueued::New, of(), Enqueued::New, of()]);
    assert_eq!(bed.claim(10).await.len(), 3);
}

/// Two kinds may have the same key; queues make no difference.
pub async fn a_unique_key_is_of_its_kind(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let first = bed.enqueue(keyed(&bed, "k")).await;
    bed.enqueue(Task { kind: "work2".to_owned(), ..keyed(&bed, "k") }).await;
    let elsewhere = Task { queue: "main2".to_owned(), ..keyed(&bed, "k") };
    let answer = bed.queue(1).enqueue(vec![elsewhere]).await.unwrap();
    assert_eq!(answer, [Enqueued::Duplicate { of: first.clone() }]);
    assert_eq!(ids(&bed.claim(10).await), [first]);
}

/// It stays as it is, and can be replayed once the key is free.
pub async fn a_replay_does_not_take_a_unique_key_from_another(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let dead = bed.enqueue(keyed(&bed, "k")).await;
    let leased = bed.claim_one().await;
    bed.end(&leased, Outcome::Dead { error: failure("no") }).await;
    let other = bed.enqueue(keyed(&bed, "k")).await;
    let record = bed.board(0).replay(&dead).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Dead);
    bed.board(0).cancel(&other).await.unwrap();
    let record = bed.board(0).replay(&dead).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Queued);
    let answer = bed.queue(1).enqueue(vec![keyed(&bed, "k")]).await.unwrap();
    assert_eq!(answer, [Enqueued::Duplicate { of: dead }]);
}
