//! Enqueuing tasks: alone, or in the batch of the change that causes them.

use std::time::Duration;

use outrigger_kernel::{Ctx, Error, Result, Timestamp, limits};
use outrigger_ports::queue::{Enqueued, Task, TaskRecord};
use outrigger_ports::store::{Batch, StoreError, Write};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::input::{New, TaskInput};
use super::job::Job;
use super::kind::{Kind, check_name};
use super::service::Tasks;
use super::view::TaskView;
use crate::audit::{Action, Change};
use crate::idempotency::{Answer, Keyed};

/// Longest time for which a task may be put off.
const DELAY_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Tasks for a batch that is about to be committed; then [`Tasks::committed`].
#[derive(Debug)]
#[must_use]
pub struct Staged {
    /// To be added to the batch.
    pub writes: Vec<Write>,
    tasks: Vec<Task>,
}

impl Staged {
    /// The ids of the tasks.
    pub fn ids(&self) -> Vec<&str> {
        self.tasks.iter().map(|task| task.id.as_str()).collect()
    }
}

impl Tasks {
    /// Enqueues a task for a client. With an idempotency key, once. For administrators: a task acts
    /// with the rights of Outrigger itself.
    ///
    /// # Errors
    /// `forbidden`, `invalid` (an unknown kind, a payload that its schema does not allow, with the
    /// places), `conflict` (`not_unique`).
    pub async fn enqueue(
        &self,
        ctx: &Ctx,
        input: TaskInput,
        idempotency_key: Option<&str>,
    ) -> Result<(String, String)> {
        self.enqueue_of(ctx, None, input, idempotency_key).await
    }

    /// The same for a schedule that somebody runs; keys of different operations never meet.
    pub(super) async fn enqueue_of(
        &self,
        ctx: &Ctx,
        schedule: Option<&str>,
        input: TaskInput,
        idempotency_key: Option<&str>,
    ) -> Result<(String, String)> {
        ctx.require_admin()?;
        let Some(key) = idempotency_key else {
            let task = self.prepare(ctx, input)?;
            let answer = (task.id.clone(), shown(&task)?);
            match self.enqueued(ctx, &task, schedule)? {
                None => self.push(task).await?,
                Some(entry) => self.push_with(entry, task).await?,
            }
            return Ok(answer);
        };
        let body = serde_json::to_vec(&input).map_err(Error::internal)?;
        let operation = schedule.map(|name| format!("schedules.run {name}"));
        let operation = operation.as_deref().unwrap_or("enqueue");
        let keyed = Keyed::new(ctx, operation, key, &body)?;
        if let Some(first) = self.first_answer(&keyed).await? {
            return Ok(first);
        }
        if input.unique_key.is_some() {
            return self.enqueue_unique(ctx, schedule, input, &keyed).await;
        }
        let task = self.prepare(ctx, input)?;
        let text = shown(&task)?;
        let mut staged = self.stage(vec![task.clone()])?;
        let answer = Answer { etag: None, location: Some(task.id.clone()), body: text.clone() };
        staged.writes.push(self.idempotency.keep(&keyed, answer)?);
        staged.writes.extend(self.enqueued(ctx, &task, schedule)?);
        match self.store.commit(Batch::of(std::mem::take(&mut staged.writes))).await {
            Ok(_) => {
                self.committed(staged).await;
                Ok((task.id, text))
            }
            // The id is new, so it was the key: the same request came twice at the same time.
            Err(StoreError::Precondition { .. }) => self
                .first_answer(&keyed)
                .await?
                .ok_or_else(|| Error::conflict("concurrent_change", "try again")),
            Err(error) => Err(error.into()),
        }
    }

    /// Enqueues a job of Outrigger's own. `None` when its unique key is taken: one is on its way.
    ///
    /// # Errors
    /// `unavailable` when the queue is away.
    pub async fn enqueue_job<J: Job>(&self, ctx: &Ctx, new: New<J>) -> Result<Option<String>> {
        let task = self.task_of(ctx, &new)?;
        let id = task.id.clone();
        match self.queue.enqueue(vec![task]).await?.pop() {
            Some(Enqueued::Duplicate { .. }) => Ok(None),
            _ => Ok(Some(id)),
        }
    }

    /// The job as a task, for [`Tasks::stage`].
    ///
    /// # Errors
    /// `invalid` when its kind is not known or its payload is not allowed.
    pub fn task_of<J: Job>(&self, ctx: &Ctx, new: &New<J>) -> Result<Task> {
        let payload = serde_json::to_value(&new.job).map_err(Error::internal)?;
        self.prepare(
            ctx,
            TaskInput {
                unique_key: new.job.unique_key(),
                priority: new.priority,
                delay_s: None,
                run_at: (!new.delay.is_zero()).then(|| self.clock.now().plus(new.delay)),
                ..TaskInput::of(J::KIND, payload)
            },
        )
    }

    /// Puts tasks into a batch that causes them: all or nothing.
    ///
    /// # Errors
    /// `too_large`.
    pub fn stage(&self, tasks: Vec<Task>) -> Result<Staged> {
        Ok(Staged { writes: self.queue.stage(&tasks)?, tasks })
    }

    /// The batch was committed: its tasks start at once; gives how many do not, because their unique
    /// key is taken. Should nobody say so, or the queue be away, they start a little later.
    pub async fn committed(&self, staged: Staged) -> usize {
        if staged.tasks.is_empty() {
            return 0;
        }
        match self.queue.committed(staged.tasks).await {
            Ok(became) => {
                became.iter().filter(|one| matches!(one, Enqueued::Duplicate { .. })).count()
            }
            Err(error) => {
                tracing::warn!(%error, "tasks that were committed wait to be passed on");
                0
            }
        }
    }

    /// The task that this asks for, after all checks.
    ///
    /// # Errors
    /// `invalid` with the place.
    pub fn prepare(&self, ctx: &Ctx, input: TaskInput) -> Result<Task> {
        self.check(&input)?;
        self.prepare_checked(ctx, input)
    }

    /// Whether such a task may be enqueued.
    ///
    /// # Errors
    /// `invalid` with the place.
    pub fn check(&self, input: &TaskInput) -> Result<()> {
        let kind = self.kinds.get(&input.kind, &["body", "kind"])?;
        kind.check(&input.payload).map_err(|error| error.within(&["body", "payload"]))?;
        payload_text(&input.payload)?;
        due(input, self.clock.now())?;
        check_unique_key(input)?;
        match &input.queue {
            Some(queue) => check_name(queue, &["body", "queue"]),
            None => Ok(()),
        }
    }

    /// The task that this asks for, when all but its size was checked before. It is left to its job
    /// what it makes of the payload, and a kind that this process does not know (any more) waits for
    /// a worker that does.
    ///
    /// # Errors
    /// `invalid` when the payload is too large.
    pub fn prepare_checked(&self, ctx: &Ctx, input: TaskInput) -> Result<Task> {
        self.with_id(ctx, input, self.ids.new_id("tsk"))
    }

    /// The same with this id.
    pub(super) fn with_id(&self, ctx: &Ctx, input: TaskInput, id: String) -> Result<Task> {
        let unknown;
        let kind = match self.kinds.find(&input.kind) {
            Some(kind) => kind,
            None => {
                unknown = Kind::external(&input.kind)?;
                &unknown
            }
        };
        let now = self.clock.now();
        let run_at = due(&input, now)?;
        let options = &kind.options;
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let mut payload = payload_text(&input.payload)?;
        let sealed = self.sealer.seals(kind);
        if sealed {
            payload = self.sealer.seal(&id, &payload, &*self.random)?;
        }
        Ok(Task {
            id,
            queue: input.queue.unwrap_or_else(|| options.queue.to_owned()),
            payload,
            sealed,
            priority: input.priority.unwrap_or(limits::TASK_PRIORITY_DEFAULT),
            run_at,
            unique_key: input.unique_key,
            max_attempts: input.max_attempts.unwrap_or(options.max_attempts),
            timeout_ms: input.timeout_s.map_or(millis(options.timeout), |s| s * 1_000),
            backoff_ms: millis(options.backoff),
            backoff_max_ms: millis(options.backoff_max),
            retention_s: options.retention.as_secs(),
            created_at: now,
            created_by: ctx.user_id().map(ToOwned::to_owned),
            trace: ctx.trace.map(|trace| trace.as_str().to_owned()),
            kind: input.kind,
        })
    }

    /// The entry that tells of an administrator's task, if its kind is audited or it is a schedule's; its
    /// hash is of the payload as it is kept.
    pub(super) fn enqueued(
        &self,
        ctx: &Ctx,
        task: &Task,
        schedule: Option<&str>,
    ) -> Result<Option<Write>> {
        let is_audited = self.kinds.find(&task.kind).is_some_and(|kind| kind.options.audited);
        if schedule.is_none() && !is_audited {
            return Ok(None);
        }
        let payload = task.payload.get().as_bytes();
        let details = json!({"kind": task.kind, "queue": task.queue, "schedule": schedule});
        let change = Change::of_bytes(None, Some(payload));
        self.audit.by_administrator(ctx, Action::TaskEnqueued, &task.id, change, details)
    }

    /// Enqueues the task in one batch with its entry. Where only the queue knows whether the unique key is
    /// taken, the entry follows.
    async fn push_with(&self, entry: Write, task: Task) -> Result<()> {
        if task.unique_key.is_some() {
            self.push(task).await?;
            self.store.commit(Batch::of([entry])).await?;
            return Ok(());
        }
        let mut staged = self.stage(vec![task])?;
        staged.writes.push(entry);
        self.store.commit(Batch::of(std::mem::take(&mut staged.writes))).await?;
        self.committed(staged).await;
        Ok(())
    }

    pub(super) async fn push(&self, task: Task) -> Result<()> {
        match self.queue.enqueue(vec![task]).await?.pop() {
            Some(Enqueued::Duplicate { of }) => Err(not_unique(&of)),
            _ => Ok(()),
        }
    }

    pub(super) async fn first_answer(&self, keyed: &Keyed) -> Result<Option<(String, String)>> {
        let answer = self.idempotency.replay(keyed).await?;
        Ok(answer.map(|answer| (answer.location.unwrap_or_default(), answer.body)))
    }

    /// The kind of this name.
    pub(super) fn kind(&self, name: &str, loc: &[&str]) -> Result<&Kind> {
        self.kinds.get(name, loc).map(|kind| &**kind)
    }
}

/// What is answered of a task that nobody has touched.
pub(super) fn shown(task: &Task) -> Result<String> {
    let record = TaskRecord::new(task.clone(), task.created_at);
    serde_json::to_string(&TaskView::of(&record)).map_err(Error::internal)
}

/// When the task is due.
fn due(input: &TaskInput, now: Timestamp) -> Result<Timestamp> {
    let run_at = match (input.delay_s, input.run_at) {
        (Some(_), Some(_)) => {
            let message = "say delay_s or run_at, not both";
            return Err(Error::invalid(&["body", "run_at"], "exclusive", message));
        }
        (Some(delay), None) => now.plus(Duration::from_secs(delay.min(DELAY_MAX.as_secs() + 1))),
        (None, Some(at)) => at.max(now),
        (None, None) => now,
    };
    if run_at > now.plus(DELAY_MAX) {
        let place = if input.delay_s.is_some() { "delay_s" } else { "run_at" };
        let message = "a task can be put off for 366 days at most";
        return Err(Error::invalid(&["body", place], "maximum", message));
    }
    Ok(run_at)
}

/// The schema counts letters; what is kept is bytes.
fn check_unique_key(input: &TaskInput) -> Result<()> {
    let most = limits::TASK_UNIQUE_KEY_BYTES_MAX;
    if input.unique_key.as_ref().is_none_or(|key| key.len() <= most) {
        return Ok(());
    }
    let message = format!("a unique key has at most {most} bytes");
    Err(Error::invalid(&["body", "unique_key"], "too_large", message))
}

fn payload_text(payload: &Value) -> Result<Box<RawValue>> {
    let text = serde_json::value::to_raw_value(payload).map_err(Error::internal)?;
    if text.get().len() > limits::TASK_PAYLOAD_BYTES_MAX {
        let most = limits::TASK_PAYLOAD_BYTES_MAX;
        let message = format!("a payload has at most {most} bytes of JSON; put more into a record");
        return Err(Error::invalid(&["body", "payload"], "too_large", message));
    }
    Ok(text)
}

fn not_unique(of: &str) -> Error {
    let message = format!("{of} with this unique key is not finished");
    Error::conflict("not_unique", message)
}
