//! Looks after tasks: finds, lists, cancels and replays them, and pauses queues.

use std::sync::Arc;

use outrigger_kernel::{Clock, Ctx, Error, Ids, PageRequest, Random, Result, Timestamp};
use outrigger_ports::queue::{Queue, QueueState, Status, TaskBoard, TaskFilter, TaskRecord};
use outrigger_ports::store::{Position, Store};
use schemars::JsonSchema;
use serde::Serialize;

use super::kind::{KindView, Kinds, check_name};
use super::seal::Sealer;
use super::view::{TaskPage, TaskView};
use crate::audit::{Action, Audit};
use crate::cursor::List;
use crate::idempotency::Idempotency;
use crate::ports::Ports;

/// How far the tasks of a queue are counted for somebody who asks.
const COUNTED_MAX: usize = 10_000;

/// Tasks and their queues.
#[derive(Clone, Debug)]
pub struct Tasks {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) board: Arc<dyn TaskBoard>,
    pub(super) kinds: Arc<Kinds>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) ids: Ids,
    pub(super) idempotency: Idempotency,
    pub(super) audit: Audit,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Only with this status.
    pub status: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this queue.
    pub queue: Option<String>,
}

/// A queue as clients see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Queue")]
pub struct QueueView {
    /// Its name.
    pub name: String,
    /// Whether nothing is claimed from it.
    pub paused: bool,
    /// Tasks that wait for a worker; counted up to a bound.
    pub queued: u64,
    /// Tasks that wait for their time; counted up to a bound.
    pub scheduled: u64,
    /// Tasks that are running.
    pub running: u64,
    /// Dead tasks; counted up to a bound.
    pub dead: u64,
    /// For how many seconds the oldest one that is due has waited; null when none waits.
    pub oldest_s: Option<u64>,
}

impl QueueView {
    fn of(state: QueueState, now: Timestamp) -> Self {
        Self {
            oldest_s: state.oldest.map(|since| now.since(since).as_secs()),
            name: state.name,
            paused: state.paused,
            queued: state.queued,
            scheduled: state.scheduled,
            running: state.running,
            dead: state.dead,
        }
    }
}

impl Tasks {
    /// Tasks of these kinds.
    pub fn new(ports: &Ports, audit: Audit, kinds: Arc<Kinds>, sealer: Arc<Sealer>) -> Self {
        Self {
            queue: ports.queue.clone(),
            board: ports.board.clone(),
            kinds,
            sealer,
            store: ports.store.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            ids: ports.ids(),
            idempotency: Idempotency::new(ports),
            audit,
        }
    }

    /// The kinds that are known, by name.
    pub fn kinds(&self) -> Vec<KindView> {
        self.kinds.all().map(|kind| kind.view()).collect()
    }

    /// A task: any for administrators, for others those that they have enqueued.
    ///
    /// # Errors
    /// `unauthenticated`, `not_found`.
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<TaskView> {
        require_somebody(ctx)?;
        Ok(TaskView::of(&visible(ctx, self.board.find(id).await?)?))
    }

    /// A page of tasks, the newest first; it may be short although there are more. For administrators.
    ///
    /// # Errors
    /// `forbidden`, `invalid` naming the parameter.
    pub async fn list(&self, ctx: &Ctx, query: &TaskQuery, page: &PageRequest) -> Result<TaskPage> {
        ctx.require_admin()?;
        let status = query.status.as_deref().map(parse_status).transpose()?;
        let words = [query.status.as_deref(), query.kind.as_deref(), query.queue.as_deref()];
        let list = List::of(&format!("tasks {words:?}"));
        let filter = TaskFilter {
            status,
            kind: query.kind.clone(),
            queue: query.queue.clone(),
            after: list.after(page)?.map(|position| position.id),
            limit: page.limit,
        };
        let found = self.board.list(&filter).await?;
        let next = found.next.map(|id| Position { value: Vec::new(), id });
        let items = found.tasks.iter().map(TaskView::of).collect();
        Ok(TaskPage { items, next_cursor: list.next(next) })
    }

    /// Cancels a task: at once when it waits, else its worker is told. A finished one stays as it is.
    ///
    /// # Errors
    /// `not_found`, `conflict` (`task_finished`).
    pub async fn cancel(&self, ctx: &Ctx, id: &str) -> Result<TaskView> {
        require_somebody(ctx)?;
        let known = visible(ctx, self.board.find(id).await?)?;
        if known.status.is_final() && known.status != Status::Cancelled {
            return Err(finished(known.status));
        }
        let record = self.board.cancel(id).await?.ok_or_else(|| Error::not_found("task"))?;
        if record.status.is_final() && record.status != Status::Cancelled {
            return Err(finished(record.status));
        }
        self.note(ctx, Action::TaskCancelled, id).await?;
        Ok(TaskView::of(&record))
    }

    /// Lets a failed, cancelled or dead task begin again. For administrators.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `conflict` (`task_not_finished`, `task_succeeded`).
    pub async fn replay(&self, ctx: &Ctx, id: &str) -> Result<TaskView> {
        ctx.require_admin()?;
        let known = self.board.find(id).await?.ok_or_else(|| Error::not_found("task"))?;
        match known.status {
            Status::Failed | Status::Cancelled | Status::Dead => {}
            Status::Succeeded => {
                return Err(Error::conflict("task_succeeded", "the task has succeeded already"));
            }
            _ => return Err(Error::conflict("task_not_finished", "the task is not finished")),
        }
        let record = self.board.replay(id).await?.ok_or_else(|| Error::not_found("task"))?;
        if record.status.is_final() {
            let message = "another task with its unique key is not finished";
            return Err(Error::conflict("not_unique", message));
        }
        self.note(ctx, Action::TaskReplayed, id).await?;
        Ok(TaskView::of(&record))
    }

    /// All queues. For administrators.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn queues(&self, ctx: &Ctx) -> Result<Vec<QueueView>> {
        ctx.require_admin()?;
        let now = self.clock.now();
        let all = self.board.queues(COUNTED_MAX).await?;
        Ok(all.into_iter().map(|state| QueueView::of(state, now)).collect())
    }

    /// Lets nothing be claimed from the queue, or lets it again. For administrators.
    ///
    /// # Errors
    /// `forbidden`, `invalid` when it can be no queue's name.
    pub async fn set_paused(&self, ctx: &Ctx, queue: &str, paused: bool) -> Result<()> {
        ctx.require_admin()?;
        check_name(queue, &["path", "queue"])?;
        self.board.set_paused(queue, paused).await?;
        let action = if paused { Action::QueuePaused } else { Action::QueueResumed };
        self.note(ctx, action, queue).await
    }

    pub(super) async fn note(&self, ctx: &Ctx, action: Action, target: &str) -> Result<()> {
        self.audit.record(ctx, action, Some(target)).await
    }
}

/// Refuses those who have not signed in; Outrigger itself need not.
fn require_somebody(ctx: &Ctx) -> Result<()> {
    if ctx.is_admin() { Ok(()) } else { ctx.require_user().map(drop) }
}

/// Lets only those see a task who may.
pub(super) fn visible(ctx: &Ctx, record: Option<TaskRecord>) -> Result<TaskRecord> {
    let own = |record: &TaskRecord| {
        ctx.is_admin()
            || ctx.user_id().is_some() && record.task.created_by.as_deref() == ctx.user_id()
    };
    record.filter(own).ok_or_else(|| Error::not_found("task"))
}

fn parse_status(word: &str) -> Result<Status> {
    Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
        let words = Status::ALL.map(Status::as_str).join(", ");
        Error::invalid(&["query", "status"], "enum", format!("one of {words}"))
    })
}

fn finished(status: Status) -> Error {
    Error::conflict("task_finished", format!("the task is {} already", status.as_str()))
}
