//! What takes days; only with a clock that the test moves.

use std::time::Duration;

use outrigger_ports::queue::{DEAD_RETENTION, Outcome, Status, Task};

use super::QueueFactory;
use super::bed::{Bed, failure};

const MOMENT: Duration = Duration::from_micros(1);
const DAY: Duration = Duration::from_secs(86_400);

/// Moves the clock to a microsecond before the end of `time`.
fn leap_before(bed: &Bed, time: Duration) {
    leap(bed, time.checked_sub(MOMENT).expect("it is longer than a moment"));
}

fn leap(bed: &Bed, time: Duration) {
    bed.opened.clock.as_ref().expect("the clock is the test's").advance(time);
}

/// To the microsecond, whatever its own retention is.
pub async fn a_dead_task_is_kept_for_its_retention(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { retention_s: 1, ..bed.task() }).await;
    let leased = bed.claim_one().await;
    bed.end(&leased, Outcome::Dead { error: failure("no") }).await;
    leap_before(&bed, DEAD_RETENTION);
    bed.queue(0).tend().await.unwrap();
    assert_eq!(bed.status(&id).await, Status::Dead);
    leap(&bed, MOMENT);
    bed.queue(0).tend().await.unwrap();
    assert!(bed.board(0).find(&id).await.unwrap().is_none());
    assert!(bed.board(0).replay(&id).await.unwrap().is_none());
}

/// To the microsecond.
pub async fn a_finished_task_is_kept_for_its_retention(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { retention_s: 7 * 86_400, ..bed.task() }).await;
    let leased = bed.claim_one().await;
    bed.succeed(&leased).await;
    leap_before(&bed, 7 * DAY);
    assert_eq!(bed.status(&id).await, Status::Succeeded);
    leap(&bed, MOMENT);
    assert!(bed.board(1).find(&id).await.unwrap().is_none());
}

/// A year, and to the microsecond.
pub async fn a_task_far_ahead_waits(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.enqueue(Task { run_at: bed.now().plus(365 * DAY), ..bed.task() }).await;
    leap_before(&bed, 365 * DAY);
    bed.queue(0).tend().await.unwrap();
    assert!(bed.claim(1).await.is_empty());
    leap(&bed, MOMENT);
    bed.queue(0).tend().await.unwrap();
    assert_eq!(bed.claim_one().await.task.id, id);
}
