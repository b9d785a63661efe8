//! What time demands: scheduled tasks come due, leases end.
//!
//! Any number of processes may do it at once: of two that move the same task, one is refused and
//! finds on its next look that there is nothing left to do.

use outrigger_kernel::Timestamp;
use outrigger_ports::index_value::Range;
use outrigger_ports::queue::{QueueError, Status, Tended};
use outrigger_ports::store::Order;

use super::stored::Stored;
use super::update::{Step, change};
use super::{StoreQueue, fault, turn};

/// Most tasks in one step.
const STEP: usize = 200;
/// Most steps of each sort in one call.
const STEPS: usize = 10;

/// Promotes and recovers; at most 2,000 of each.
pub(super) async fn run(queue: &StoreQueue) -> Result<Tended, QueueError> {
    let mut tended = Tended::default();
    for _ in 0..STEPS {
        let due = step(queue, turn::scheduled_until, promote).await?;
        tended.promoted += due.changed.len();
        if !due.more {
            break;
        }
    }
    for _ in 0..STEPS {
        let lost = step(queue, turn::running_until, recover).await?;
        let back = lost.changed.iter().filter(|status| **status == Status::Queued).count();
        let dead = lost.changed.iter().filter(|status| **status == Status::Dead).count();
        tended.recovered += back;
        tended.quarantined += dead;
        if !lost.more {
            break;
        }
    }
    Ok(tended)
}

fn promote(stored: &mut Stored, now: Timestamp) -> bool {
    let due = stored.record.status == Status::Scheduled && stored.record.run_at <= now;
    if due {
        stored.promote();
    }
    due
}

fn recover(stored: &mut Stored, now: Timestamp) -> bool {
    let lost = stored.record.status == Status::Running
        && stored.lease.as_ref().is_none_or(|held| held.until <= now);
    if lost {
        stored.lose(now);
    }
    lost
}

struct Moved {
    /// What the tasks that were changed are now.
    changed: Vec<Status>,
    more: bool,
}

async fn step(
    queue: &StoreQueue,
    range: impl Fn(Timestamp) -> Range,
    act: impl Fn(&mut Stored, Timestamp) -> bool,
) -> Result<Moved, QueueError> {
    let range = range(queue.clock.now());
    let query = StoreQueue::tasks(Order::Index(turn::TURN), range, STEP);
    let found = queue.store.query(&query).await.map_err(fault::of)?;
    let ids: Vec<String> = found.into_iter().map(|found| found.document.key.id).collect();
    let moved = change(queue, &ids, |_, stored, now| {
        let Some(stored) = stored else { return (Step::Keep, None) };
        if !act(stored, now) {
            return (Step::Keep, None);
        }
        (Step::Put, Some((stored.record.status, stored.record.task.queue.clone())))
    })
    .await?;
    let moved: Vec<(Status, String)> = moved.into_iter().flatten().collect();
    let mut queues: Vec<&str> = moved.iter().map(|(_, name)| name.as_str()).collect();
    queues.sort_unstable();
    queues.dedup();
    for name in queues {
        queue.wakeups.wake(name);
    }
    Ok(Moved {
        changed: moved.iter().map(|(status, _)| *status).collect(),
        more: ids.len() == STEP && !moved.is_empty(),
    })
}
