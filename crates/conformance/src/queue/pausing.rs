//! Queues that stand still, and what queues tell of themselves.

use std::time::Duration;

use outrigger_ports::queue::{Beat, Outcome, QueueState, Status, Task};

use super::QueueFactory;
use super::bed::{Bed, LONG, QUEUE, failure};

/// By no handle; enqueuing goes on, and so does the rest when it is over.
pub async fn nothing_is_claimed_from_a_paused_queue(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let first = bed.one().await;
    for handle in 0..2 {
        bed.board(handle).set_paused(QUEUE, true).await.unwrap();
        bed.board(handle).set_paused(QUEUE, true).await.unwrap();
        assert!(bed.claim(10).await.is_empty());
        bed.one().await;
        assert!(bed.claim(10).await.is_empty());
        bed.board(handle).set_paused(QUEUE, false).await.unwrap();
        let leased = bed.claim(10).await;
        assert_eq!(leased.len(), 2 - handle);
        assert!(handle > 0 || leased[0].task.id == first);
    }
}

/// Before it has its first task.
pub async fn a_queue_that_was_never_seen_is_paused(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.board(0).set_paused(QUEUE, true).await.unwrap();
    let states = bed.board(1).queues(100).await.unwrap();
    assert!(states.iter().any(|state| state.name == QUEUE && state.paused));
    bed.one().await;
    assert!(bed.claim(1).await.is_empty());
    bed.board(1).set_paused(QUEUE, false).await.unwrap();
    bed.claim_one().await;
}

/// Names come from requests: those without a task leave nothing behind.
pub async fn a_queue_that_was_only_asked_for_is_not_known(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    assert!(bed.claim(1).await.is_empty());
    assert!(bed.board(1).queues(10).await.unwrap().is_empty());
    bed.one().await;
    assert_eq!(bed.board(1).queues(10).await.unwrap().len(), 1);
}

/// Signs of life and settlements.
pub async fn what_runs_goes_on_in_a_paused_queue(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    bed.board(0).set_paused(QUEUE, true).await.unwrap();
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Held);
    bed.succeed(&leased).await;
    assert_eq!(bed.status(&id).await, Status::Succeeded);
}

/// How many wait, run, and are dead, and since when the oldest waits.
pub async fn queues_tell_how_full_they_are(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let elsewhere = Task { queue: "other".to_owned(), ..bed.task() };
    let other_since = elsewhere.run_at;
    bed.enqueue(elsewhere).await;
    bed.queue(0).enqueue(bed.tasks(4)).await.unwrap();
    let claimed = bed.claim(2).await;
    bed.end(&claimed[0], Outcome::Dead { error: failure("no") }).await;
    for _ in 0..3 {
        let at = bed.now().plus(Duration::from_secs(3_600));
        bed.enqueue(Task { run_at: at, ..bed.task() }).await;
    }
    bed.board(0).set_paused("other", true).await.unwrap();
    let states = bed.board(1).queues(100).await.unwrap();
    let names: Vec<&str> = states.iter().map(|state| state.name.as_str()).collect();
    assert_eq!(names, [QUEUE, "other"]);
    let main = &states[0];
    let counts = (main.queued, main.scheduled, main.running, main.dead);
    assert_eq!((main.paused, counts), (false, (2, 3, 1, 1)));
    let expected = QueueState {
        name: "other".to_owned(),
        paused: true,
        queued: 1,
        scheduled: 0,
        running: 0,
        dead: 0,
        oldest: states[1].oldest,
    };
    assert_eq!(states[1], expected);
    let since = states[1].oldest.expect("somebody waits");
    let apart = since.since(other_since).max(other_since.since(since));
    assert!(apart < Duration::from_secs(60), "{since} is about {other_since}");
}

/// Whatever waits before it: other kinds, and greater priorities, of which there is a count only up to
/// what was asked for.
pub async fn the_oldest_is_found_behind_others(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let oldest = Task { priority: 0, kind: "zzz".to_owned(), ..bed.task() };
    let since = oldest.run_at;
    bed.enqueue(oldest).await;
    bed.pass(Duration::from_secs(3)).await;
    let later = bed.now();
    for priority in [9, 5] {
        let tasks = bed.tasks(10).into_iter().map(|task| Task { priority, ..task });
        bed.queue(0).enqueue(tasks.collect()).await.unwrap();
    }
    let state = &bed.board(1).queues(5).await.unwrap()[0];
    assert!((5..=21).contains(&state.queued), "{state:?}");
    let oldest = state.oldest.expect("somebody waits");
    assert!(oldest < later, "{state:?} says that nobody waits since {since}");
}
