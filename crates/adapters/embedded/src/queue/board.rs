//! Tasks as those see them who look after the queue.

use outrigger_ports::index_value::{self, Range};
use outrigger_ports::queue::{LOOKED_AT_MAX, Listed, QueueError, Status, TaskFilter, TaskRecord};
use outrigger_ports::store::{Batch, Order, Position, Precondition, Query, StoreError};

use super::enqueue::read;
use super::stored::{self, Stored};
use super::update::{Step, change, pause};
use super::{StoreQueue, fault, names, turn};

/// Most tasks read at once, and on the first page, when their size is not known yet.
pub(super) const PAGE: usize = 200;
const FIRST_PAGE: usize = 20;
/// What a page has at most, in bytes, when its tasks are as large as those of the page before.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Most tries of a change of one task.
const TRIES: u32 = 10;

/// The task.
pub(super) async fn find(queue: &StoreQueue, id: &str) -> Result<Option<TaskRecord>, QueueError> {
    let document = queue.store.get(&stored::key(id)).await.map_err(fault::of)?;
    document.map(|document| Ok(Stored::of(&document)?.record)).transpose()
}

/// Tasks, the newest first. What is not an index (kind, queue) is looked for among the rest.
pub(super) async fn list(queue: &StoreQueue, filter: &TaskFilter) -> Result<Listed, QueueError> {
    if filter.limit == 0 {
        return Ok(Listed::default());
    }
    if filter.status == Some(Status::Running)
        && let Some(listed) = running(queue, filter).await?
    {
        return Ok(listed);
    }
    let (order, range, value) = match filter.status {
        None => (Order::Id, index_value::all(), Vec::new()),
        Some(status) => {
            let value = vec![turn::status(status)];
            (Order::Index(turn::STATUS), index_value::exactly(value.clone()), value)
        }
    };
    let after = filter.after.clone().map(|id| Position { value, id });
    let (mut tasks, mut looked_at) = (Vec::new(), 0);
    let mut pages = Pages::new(order, range, true, after, filter.limit);
    while tasks.len() < filter.limit && looked_at < LOOKED_AT_MAX {
        let Some(page) = pages.next(queue).await? else { break };
        looked_at += page.len();
        let records = page.into_iter().map(|stored| stored.record);
        tasks.extend(records.filter(|record| fits(record, filter)));
    }
    let next = pages.after.filter(|_| !pages.ended).map(|position| position.id);
    Ok(Listed::of(tasks, filter.limit, next))
}

fn fits(record: &TaskRecord, filter: &TaskFilter) -> bool {
    filter.status.is_none_or(|status| status == record.status)
        && filter.kind.as_ref().is_none_or(|kind| *kind == record.task.kind)
        && filter.queue.as_ref().is_none_or(|queue| *queue == record.task.queue)
        && filter.after.as_ref().is_none_or(|after| record.task.id < *after)
}

/// The running ones, in the order of the index first; `None` when there are too many for that.
async fn running(queue: &StoreQueue, filter: &TaskFilter) -> Result<Option<Listed>, QueueError> {
    let (mut tasks, mut looked_at) = (Vec::new(), 0);
    let mut pages = Pages::new(Order::Index(turn::TURN), turn::running(), false, None, PAGE);
    while let Some(page) = pages.next(queue).await? {
        looked_at += page.len();
        if looked_at > LOOKED_AT_MAX {
            return Ok(None);
        }
        let records = page.into_iter().map(|stored| stored.record);
        tasks.extend(records.filter(|record| fits(record, filter)));
    }
    tasks.sort_by(|a, b| b.task.id.cmp(&a.task.id));
    // One whose lease was extended between two pages is on both.
    tasks.dedup_by(|a, b| a.task.id == b.task.id);
    Ok(Some(Listed::of(tasks, filter.limit, None)))
}

/// The pages of one range.
pub(super) struct Pages<'a> {
    order: Order<'a>,
    range: Range,
    descending: bool,
    after: Option<Position>,
    size: usize,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(
        order: Order<'a>,
        range: Range,
        descending: bool,
        after: Option<Position>,
        first: usize,
    ) -> Self {
        let size = first.clamp(1, FIRST_PAGE);
        Self { order, range, descending, after, size, ended: false }
    }

    pub(super) async fn next(
        &mut self,
        queue: &StoreQueue,
    ) -> Result<Option<Vec<Stored>>, QueueError> {
        if self.ended {
            return Ok(None);
        }
        let query = Query {
            descending: self.descending,
            after: self.after.take(),
            ..StoreQueue::tasks(self.order, self.range.clone(), self.size)
        };
        let page = queue.store.query(&query).await.map_err(fault::of)?;
        self.ended = page.len() < self.size;
        let bytes: usize = page.iter().map(|found| found.document.body.len()).sum();
        self.size = (PAGE_BYTES * page.len()).checked_div(bytes).unwrap_or(PAGE).clamp(1, PAGE);
        self.after = page.last().map(|found| found.position.clone());
        page.iter().map(|found| Stored::of(&found.document)).collect::<Result<_, _>>().map(Some)
    }
}

/// Cancels.
pub(super) async fn cancel(queue: &StoreQueue, id: &str) -> Result<Option<TaskRecord>, QueueError> {
    let ids = [id.to_owned()];
    let mut records = change(queue, &ids, |_, stored, now| match stored {
        None => (Step::Keep, None),
        Some(stored) => {
            let step = if stored.cancel(now) { Step::Put } else { Step::Keep };
            (step, Some(stored.record.clone()))
        }
    })
    .await?;
    Ok(records.pop().flatten())
}

/// Lets a finished task begin again. One whose unique key another task has by now stays as it is.
pub(super) async fn replay(queue: &StoreQueue, id: &str) -> Result<Option<TaskRecord>, QueueError> {
    for tries in 0..TRIES {
        let found = read(queue, &[id.to_owned()]).await?.pop().flatten();
        let Some((version, mut stored)) = found else { return Ok(None) };
        let before = stored.record.clone();
        if !stored.replay(queue.clock.now()) {
            return Ok(Some(before));
        }
        let write = stored.put(Precondition::Version(version))?;
        match queue.store.commit(Batch::of([write])).await {
            Ok(_) => {
                names::ensure(queue, &stored.record.task.queue).await;
                queue.wakeups.wake(&stored.record.task.queue);
                return Ok(Some(stored.record));
            }
            Err(StoreError::Unique { .. }) => return Ok(Some(before)),
            Err(StoreError::Precondition { .. }) => pause(queue, tries).await,
            Err(error) => return Err(fault::of(error)),
        }
    }
    Err(QueueError::Unavailable("others change the same task all the time".into()))
}
