//! Leases for workers in any language: claim, heartbeat, complete, fail.
//!
//! They are asked for by users with the role `worker`, or by administrators.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use outrigger_kernel::{Ctx, Error, Result, Timestamp, limits};
use outrigger_ports::queue::{
    Beat, Claim, Failure, Heartbeat, KindLimits, Lease, Leased, Outcome, Settlement, Task,
    TaskRecord, bounds,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::backoff::retry_at;
use super::job::failure;
use super::kind::check_name;
use super::service::Tasks;

/// The role of those who may take leases.
const ROLE: &str = "worker";
/// Longest wait for a task in one call.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// What a worker asks for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseInput {
    /// Of these kinds.
    #[schemars(length(min = 1, max = 50))]
    pub kinds: Vec<String>,
    /// At most so many tasks.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
    /// Wait for so many seconds when there is none.
    #[serde(default)]
    #[schemars(range(min = 0, max = 20))]
    pub wait_s: u64,
    /// For so many seconds, unless heartbeats extend it.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 2, max = 3_600))]
    pub lease_s: u64,
}

/// A sign of life.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatInput {
    /// The lease's token.
    pub token: String,
    /// What the worker says of its progress.
    #[serde(default)]
    pub progress: Option<Value>,
    /// The lease shall hold for so many seconds from now.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 2, max = 3_600))]
    pub lease_s: u64,
}

/// The work is done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteInput {
    /// The lease's token.
    pub token: String,
    /// What is kept as the task's result.
    #[serde(default)]
    pub result: Option<Value>,
}

/// The work has failed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailInput {
    /// The lease's token.
    pub token: String,
    /// A stable name of what went wrong.
    #[serde(default = "failed")]
    #[schemars(length(min = 1, max = 64))]
    pub code: String,
    /// What went wrong.
    #[schemars(length(max = 2_000))]
    pub message: String,
    /// Whether another attempt may mend it.
    #[serde(default = "yes")]
    pub retry: bool,
}

fn one() -> usize {
    1
}
fn lease_s() -> u64 {
    10
}
fn failed() -> String {
    "failed".to_owned()
}
fn yes() -> bool {
    true
}

/// Tasks to be done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LeaseView {
    /// The tasks; empty when there was none in time.
    pub items: Vec<LeasedView>,
}

/// A task to be done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LeasedTask")]
pub struct LeasedView {
    /// The task, `tsk_…`
    pub id: String,
    /// Which kind of work.
    pub kind: String,
    /// In which queue.
    pub queue: String,
    /// What is given.
    pub payload: Value,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// So often it is tried in all.
    pub max_attempts: u32,
    /// So many seconds an attempt may take.
    pub timeout_s: f64,
    /// Proves the lease in heartbeat, complete and fail.
    pub token: String,
    /// Until when, unless heartbeats extend it.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub leased_until: Timestamp,
    /// The `traceparent` of what caused it.
    pub trace: Option<String>,
}

/// The answer to a sign of life.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct HeartbeatView {
    /// Whether somebody wants the task to stop.
    pub cancelled: bool,
}

impl Tasks {
    /// Leases on tasks for a worker elsewhere. Waits for no task any more once `ending` returns.
    ///
    /// # Errors
    /// `forbidden`, `invalid` (`unknown_kind`).
    pub async fn lease(
        &self,
        ctx: &Ctx,
        queue: &str,
        input: &LeaseInput,
        ending: impl Future<Output = ()>,
    ) -> Result<LeaseView> {
        require_worker(ctx)?;
        check_name(queue, &["path", "queue"])?;
        let kinds = self.leasable(ctx, &input.kinds)?;
        let claim = Claim {
            queue,
            kinds: &kinds,
            limit: input.limit.clamp(1, limits::TASKS_MAX),
            lease_for: Duration::from_secs(input.lease_s),
            worker: ctx.actor_id(),
        };
        let until = self.clock.now().plus(Duration::from_secs(input.wait_s).min(WAIT_MAX));
        let (queues, mut ending) = ([queue.to_owned()], pin!(ending));
        loop {
            let found = self.queue.claim(&claim).await?;
            let left = until.since(self.clock.now());
            if !found.is_empty() || left.is_zero() {
                let found = self.within_timeout(found, claim.lease_for).await?;
                return Ok(LeaseView { items: self.opened(found).await? });
            }
            let news = self.queue.wait(&queues, left);
            if let Either::Right(_) = select(news, ending.as_mut()).await {
                return Ok(LeaseView { items: Vec::new() });
            }
        }
    }

    /// Shortens the leases of tasks whose attempt may not take as long.
    async fn within_timeout(
        &self,
        mut found: Vec<Leased>,
        lease_for: Duration,
    ) -> Result<Vec<Leased>> {
        let now = self.clock.now();
        let mut shorter: BTreeMap<Duration, Vec<Heartbeat>> = BTreeMap::new();
        for leased in &mut found {
            let most = lease_at_most(&leased.task, now, now, lease_for);
            if most < lease_for {
                leased.until = now.plus(most);
                let beat = Heartbeat { lease: leased.lease.clone(), progress: None };
                shorter.entry(most).or_default().push(beat);
            }
        }
        for (most, beats) in shorter {
            self.queue.heartbeat(beats, most).await?;
        }
        Ok(found)
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// `forbidden`, `conflict` (`lease_lost`).
    pub async fn heartbeat(
        &self,
        ctx: &Ctx,
        id: &str,
        input: &HeartbeatInput,
    ) -> Result<HeartbeatView> {
        require_worker(ctx)?;
        let progress = input.progress.as_ref().map(|p| bounded("progress", p)).transpose()?;
        let beat = Heartbeat { lease: lease(id, &input.token), progress };
        let record = self.board.find(id).await?.ok_or_else(lease_lost)?;
        let (now, started) = (self.clock.now(), record.started_at.unwrap_or(record.run_at));
        if now.since(started) >= record.task.timeout() {
            return self.time_out(&record, &input.token).await;
        }
        let lease_for = Duration::from_secs(input.lease_s);
        let lease_for = lease_at_most(&record.task, started, now, lease_for);
        match self.queue.heartbeat(vec![beat], lease_for).await?.first() {
            Some(Beat::Held) => Ok(HeartbeatView { cancelled: false }),
            Some(Beat::Cancelled) => Ok(HeartbeatView { cancelled: true }),
            Some(Beat::Lost) | None => Err(lease_lost()),
        }
    }

    /// Ends the lease of an attempt that takes too long, if the token is its own.
    async fn time_out<T>(&self, record: &TaskRecord, token: &str) -> Result<T> {
        let timeout = record.task.timeout();
        let message = format!("the worker did not end within {timeout:?}");
        let outcome = self.failed(record, failure("timeout", message), true);
        self.end(&record.task.id, token, outcome).await?;
        let message = format!("this lease has ended: an attempt may take {timeout:?}");
        Err(Error::conflict("lease_lost", message))
    }

    /// Ends a lease: the work is done.
    ///
    /// # Errors
    /// `forbidden`, `conflict` (`lease_lost`).
    pub async fn complete(&self, ctx: &Ctx, id: &str, input: &CompleteInput) -> Result<()> {
        require_worker(ctx)?;
        let result = input.result.as_ref().map(|r| bounded("result", r)).transpose()?;
        self.end(id, &input.token, Outcome::Succeeded { result }).await
    }

    /// Ends a lease: the work has failed.
    ///
    /// # Errors
    /// `forbidden`, `conflict` (`lease_lost`).
    pub async fn fail(&self, ctx: &Ctx, id: &str, input: &FailInput) -> Result<()> {
        require_worker(ctx)?;
        let record = self.board.find(id).await?.ok_or_else(lease_lost)?;
        let error = failure(&input.code, input.message.clone());
        self.end(id, &input.token, self.failed(&record, error, input.retry)).await
    }

    /// What becomes of a task whose attempt has failed.
    fn failed(&self, record: &TaskRecord, error: Failure, retry: bool) -> Outcome {
        if !retry {
            Outcome::Failed { error }
        } else if record.attempts >= record.task.max_attempts {
            Outcome::Dead { error }
        } else {
            let now = self.clock.now();
            let at = retry_at(&record.task, record.attempts, now, &*self.random);
            Outcome::Retry { error, at }
        }
    }

    async fn end(&self, id: &str, token: &str, outcome: Outcome) -> Result<()> {
        let settlement = Settlement { lease: lease(id, token), outcome };
        match self.queue.settle(vec![settlement]).await?.first() {
            Some(true) => Ok(()),
            _ => Err(lease_lost()),
        }
    }

    /// These kinds, each once. Those that this deployment runs itself are for administrators: their
    /// payloads may hold what users must not see.
    fn leasable(&self, ctx: &Ctx, names: &[String]) -> Result<Vec<KindLimits>> {
        let mut kinds: Vec<KindLimits> = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            let place = ["body", "kinds", &place.to_string()];
            let kind = self.kind(name, &place)?;
            if !kind.is_external && !ctx.is_admin() {
                let message = "this deployment runs tasks of this kind itself; others are named in \
                               tasks.external_kinds";
                return Err(Error::invalid(&place, "not_external", message));
            }
            if kinds.iter().all(|known| known.kind != *name) {
                kinds.push(kind.limits());
            }
        }
        Ok(kinds)
    }

    /// What was leased with payloads that can be read. The others fail for good.
    async fn opened(&self, found: Vec<Leased>) -> Result<Vec<LeasedView>> {
        let (mut items, mut sealed) = (Vec::with_capacity(found.len()), Vec::new());
        for leased in found {
            let lease = leased.lease.clone();
            match self.leased(leased) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let error = failure(error.code(), error.to_string());
                    sealed.push(Settlement { lease, outcome: Outcome::Failed { error } });
                }
            }
        }
        if !sealed.is_empty() {
            self.queue.settle(sealed).await?;
        }
        Ok(items)
    }

    fn leased(&self, leased: Leased) -> Result<LeasedView> {
        let Leased { task, lease, attempt, until } = leased;
        Ok(LeasedView {
            payload: serde_json::from_str(self.sealer.open(&task)?.get())
                .map_err(Error::internal)?,
            timeout_s: task.timeout().as_secs_f64(),
            id: task.id,
            kind: task.kind,
            queue: task.queue,
            attempt,
            max_attempts: task.max_attempts,
            token: lease.token,
            leased_until: until,
            trace: task.trace,
        })
    }
}

/// Lets only those pass who may take leases.
///
/// # Errors
/// `unauthenticated`, `forbidden`.
pub fn require_worker(ctx: &Ctx) -> Result<()> {
    if ctx.has_role(ROLE) { Ok(()) } else { ctx.require_admin() }
}

/// How long the lease may hold from now on: until half of it is beyond the time that the attempt may
/// take, so that a worker who gives signs of life in time is told that it has timed out, and one who
/// does not counts as lost.
fn lease_at_most(task: &Task, started: Timestamp, now: Timestamp, lease_for: Duration) -> Duration {
    let left = started.plus(task.timeout()).plus(lease_for / 2).since(now);
    lease_for.min(left).max(bounds::LEASE_MIN)
}

fn lease(id: &str, token: &str) -> Lease {
    Lease { task_id: id.to_owned(), token: token.to_owned() }
}

fn lease_lost() -> Error {
    let message = "this lease has ended: the task went to another worker, or is finished";
    Error::conflict("lease_lost", message)
}

/// JSON that fits beside the task.
fn bounded(name: &str, value: &Value) -> Result<Box<RawValue>> {
    let text = serde_json::value::to_raw_value(value).map_err(Error::internal)?;
    if text.get().len() > limits::TASK_RESULT_BYTES_MAX {
        let most = limits::TASK_RESULT_BYTES_MAX;
        let message = format!("at most {most} bytes of JSON; put more into a record");
        return Err(Error::invalid(&["body", name], "too_large", message));
    }
    Ok(text)
}
