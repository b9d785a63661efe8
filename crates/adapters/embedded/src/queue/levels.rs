//! How full the queues are.

use std::collections::BTreeMap;
use std::ops::Bound;

use outrigger_kernel::Timestamp;
use outrigger_ports::index_value::{self, Range};
use outrigger_ports::queue::{QueueError, QueueState, Status};
use outrigger_ports::store::Order;

use super::board::{PAGE, Pages};
use super::stored::Stored;
use super::{StoreQueue, fault, names, turn};

/// In so many classes (kinds, and priorities of each) of one queue the oldest task is looked for.
const CLASSES_MAX: usize = 100;

/// So many tasks of each queue.
type Tally = BTreeMap<String, u64>;

/// All queues. Counts go up to `most`: of the queued ones in each queue, of the others over all
/// queues. The oldest is exact, in up to [`CLASSES_MAX`] classes.
pub(super) async fn run(queue: &StoreQueue, most: usize) -> Result<Vec<QueueState>, QueueError> {
    let scheduled = tally(queue, Order::Index(turn::TURN), turn::scheduled(), most).await?;
    let running = tally(queue, Order::Index(turn::TURN), turn::running(), most).await?;
    let dead = index_value::exactly(vec![turn::status(Status::Dead)]);
    let dead = tally(queue, Order::Index(turn::STATUS), dead, most).await?;
    let count = |tally: &Tally, name: &str| tally.get(name).copied().unwrap_or_default();
    let mut states = Vec::new();
    for (name, paused) in names::all(queue).await? {
        let order = Order::Index(turn::TURN);
        let queued = count(&tally(queue, order, turn::queue(&name), most).await?, &name);
        let oldest = if queued == 0 { None } else { oldest(queue, &name).await? };
        states.push(QueueState {
            paused,
            queued,
            scheduled: count(&scheduled, &name),
            running: count(&running, &name),
            dead: count(&dead, &name),
            oldest,
            name,
        });
    }
    Ok(states)
}

async fn tally(
    queue: &StoreQueue,
    order: Order<'_>,
    range: Range,
    most: usize,
) -> Result<Tally, QueueError> {
    let mut tally = Tally::new();
    let mut counted = 0;
    let mut pages = Pages::new(order, range, false, None, PAGE.min(most));
    while counted < most {
        let Some(page) = pages.next(queue).await? else { break };
        counted += page.len();
        for stored in page {
            *tally.entry(stored.record.task.queue).or_default() += 1;
        }
    }
    Ok(tally)
}

/// When the task that waits longest became due. The first of a class is its oldest one, so one look
/// for each class finds it, however many wait.
async fn oldest(queue: &StoreQueue, name: &str) -> Result<Option<Timestamp>, QueueError> {
    let (mut from, to) = turn::queue(name);
    let mut oldest: Option<Timestamp> = None;
    for _ in 0..CLASSES_MAX {
        let query = StoreQueue::tasks(Order::Index(turn::TURN), (from, to.clone()), 1);
        let page = queue.store.query(&query).await.map_err(fault::of)?;
        let Some(first) = page.first() else { break };
        let due = Stored::of(&first.document)?.due;
        oldest = Some(oldest.map_or(due, |known| known.min(due)));
        from = Bound::Excluded(turn::last_of_class(&first.position.value));
    }
    Ok(oldest)
}
