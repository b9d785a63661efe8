//! The queue port.
//!
//! All keys of the queue share one hash tag, so that each script is one atomic step also on a
//! cluster, where one node then carries the queue. Tasks that wait are entries of streams ("lanes"),
//! one per queue, kind and priority, each with a consumer group; delays are a sorted set; ends of
//! leases and of retentions are lists, one for each tenth of a second and each second. `scripts/queue_common.lua` lists all keys. No key that matters
//! carries an expiry, so eviction policies of the `volatile-` family never touch a task.

mod board;
mod check;
mod enqueue;
mod error;
mod lost;
mod record;
mod scripts;
mod wake;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::{Timestamp, limits};

const _: () = assert!(limits::TASK_CRASHES_MAX == 3 && limits::TASK_HISTORY_MAX == 10);
use outrigger_ports::queue::{
    Beat, Claim, Enqueued, Failure, Heartbeat, Leased, Outcome, Queue, QueueError, Settlement,
    Task, Tended, bounds,
};
use outrigger_ports::queue::{KindLimits, Lease};
use outrigger_ports::store::Write;
use redis::Value;

use self::enqueue::Orders;
use self::lost::Lost;
use self::record::{bytes, number, text};
use self::scripts::{Args, Scripts};
use self::wake::Wakes;
use crate::client::RedisClient;
use crate::error::CallError;
use crate::script::Script;

/// Tasks that one script of [`Queue::tend`] promotes, and looks at to recover or forget them.
const SLICE: usize = 500;
/// Scripts that one call of [`Queue::tend`] runs.
const SLICES_MAX: usize = 100;
/// Each so many calls of [`Queue::tend`] look also for what is rare: lanes that nobody uses, and leases whose
/// end was not noted.
const SWEEP_EVERY: u32 = 15;

/// A queue on Redis. Counts of tasks are exact. Staging is for
/// [`OutboxQueue`](outrigger_ports::layered::OutboxQueue).
pub struct RedisQueue {
    client: RedisClient,
    base: String,
    scripts: Arc<Scripts>,
    orders: Orders,
    wakes: Wakes,
    turn: AtomicU32,
    tends: AtomicU32,
    lost: Lost,
    channel: check::Channel,
}

/// What all keys of the queue begin with; the braces make them one hash slot.
fn base(client: &RedisClient) -> String {
    format!("{}{{q}}:", client.prefix())
}

impl RedisQueue {
    /// The queue behind this connection.
    pub fn new(client: RedisClient) -> Self {
        Self {
            base: base(&client),
            client,
            scripts: Arc::new(Scripts::new()),
            orders: Orders::in_turns(enqueue::TURNS),
            wakes: Wakes::default(),
            turn: AtomicU32::new(0),
            tends: AtomicU32::new(0),
            lost: Lost::default(),
            channel: check::Channel::default(),
        }
    }

    /// Refuses a Redis that would throw tasks away when its memory is full (`allkeys-*`); call it
    /// at the start.
    ///
    /// # Errors
    /// [`QueueError::Internal`] says what to change; the others when Redis cannot be asked.
    pub async fn check(&self) -> Result<(), QueueError> {
        check::check(&self.client).await
    }

    async fn run(&self, script: &Script, args: &Args) -> Result<Value, CallError> {
        script.run(&self.client, std::slice::from_ref(&self.base), args).await
    }
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQueue").field("client", &self.client).finish_non_exhaustive()
    }
}

fn array(value: Value) -> Result<Vec<Value>, CallError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(CallError::Unexpected),
    }
}

fn internal(error: serde_json::Error) -> QueueError {
    QueueError::Internal(Box::new(error))
}

/// Longer spans than a century mean a century.
fn micros(span: Duration) -> i64 {
    const CENTURY: i64 = 100 * 365 * 86_400 * 1_000_000;
    i64::try_from(span.as_micros()).unwrap_or(CENTURY).min(CENTURY)
}

fn write_kind(args: &mut Args, kind: &KindLimits) {
    args.text(&kind.kind).number(kind.concurrency.map_or(-1, i64::from));
    let (pause, tolerance) = kind.rate.map_or((0, 0), |(starts, period)| {
        let starts = starts.max(1);
        let pause = (micros(period) / i64::from(starts)).max(1);
        (pause, pause * i64::from(starts - 1))
    });
    args.number(pause).number(tolerance);
}

fn write_settlement(args: &mut Args, settlement: &Settlement) -> Result<(), QueueError> {
    let Settlement { lease, outcome } = settlement;
    args.text(&lease.task_id).text(&lease.token);
    let failure = |error: &Failure| error.clone().within_bounds();
    let micros = |at: &Timestamp| at.as_micros().clamp(0, 1 << 53);
    let mut at = 0;
    match outcome {
        Outcome::Succeeded { result } => {
            args.text("o").text(result.as_ref().map_or("", |result| result.get()));
        }
        Outcome::Retry { error, at: instant } => {
            at = micros(instant);
            args.text("y").json(&failure(error)).map_err(internal)?;
        }
        Outcome::Failed { error } => {
            args.text("f").json(&failure(error)).map_err(internal)?;
        }
        Outcome::Dead { error } => {
            args.text("d").json(&failure(error)).map_err(internal)?;
        }
        Outcome::Cancelled => {
            args.text("c").text("");
        }
        Outcome::Released => {
            args.text("l").text("");
        }
        Outcome::Postponed { at: instant } => {
            at = micros(instant);
            args.text("p").text("");
        }
    }
    args.number(at);
    Ok(())
}

/// The answer of the claim script: now, when to ask again, the tasks.
fn read_claim(answer: Value) -> Result<(i64, i64, Vec<Value>), CallError> {
    match <[Value; 3]>::try_from(array(answer)?) {
        Ok([now, again, tasks]) => {
            let now = number(&now).ok_or(CallError::Unexpected)?;
            let again = number(&again).ok_or(CallError::Unexpected)?;
            Ok((now, again, array(tasks)?))
        }
        Err(_) => Err(CallError::Unexpected),
    }
}

fn read_leased(fields: &[Value], until: Timestamp) -> Result<Leased, QueueError> {
    let [token, attempt, body] = fields else { return Err(CallError::Unexpected.into()) };
    let task = bytes(body).ok_or(CallError::Unexpected)?;
    let task: Task = serde_json::from_slice(task).map_err(internal)?;
    let number = |value| number(value).ok_or(CallError::Unexpected);
    let token = text(token).ok_or(CallError::Unexpected)?.to_owned();
    let lease = Lease { task_id: task.id.clone(), token };
    Ok(Leased {
        task,
        lease,
        attempt: u32::try_from(number(attempt)?).map_err(|_| CallError::Unexpected)?,
        until,
    })
}

#[async_trait]
impl Queue for RedisQueue {
    async fn enqueue(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        self.put(&tasks, enqueue::IfTaken::Dropped).await
    }

    /// Not here: the batch is the store's. See the type.
    fn stage(&self, _tasks: &[Task]) -> Result<Vec<Write>, QueueError> {
        let message = "tasks for redis are staged in an outbox; put an OutboxQueue in front";
        Err(QueueError::Internal(message.into()))
    }

    async fn committed(&self, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
        self.put(&tasks, enqueue::IfTaken::Kept).await
    }

    async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError> {
        claim.check()?;
        self.give_back_lost().await?;
        let lease_for = micros(claim.lease_for);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut args = Args::default();
        args.text(claim.queue).text(claim.worker).number(lease_for);
        args.number(i64::try_from(claim.limit).unwrap_or(1)).number(turn.into());
        let mark = format!("{:x}", self.client.random());
        args.text(&mark);
        for kind in claim.kinds {
            write_kind(&mut args, kind);
        }
        let began_at = self.wakes.claiming(claim.queue);
        let asked = self.lost.unless_answered(mark);
        let answer = self.run(&self.scripts.claim, &args).await.map_err(QueueError::from);
        if !matches!(answer, Err(QueueError::OutcomeUnknown(_))) {
            asked.answered();
        }
        let (now, again, tasks) = read_claim(answer?)?;
        let again = (again > 0)
            .then(|| Duration::from_micros(u64::try_from(again.saturating_sub(now)).unwrap_or(0)));
        self.wakes.claimed(claim.queue, began_at, tasks.is_empty(), again);
        let until = Timestamp::from_micros(now.saturating_add(lease_for));
        tasks.chunks(3).map(|fields| read_leased(fields, until)).collect()
    }

    async fn wait(&self, queues: &[String], most: Duration) {
        self.wakes.wait(&self.client, queues, most).await;
    }

    async fn heartbeat(
        &self,
        beats: Vec<Heartbeat>,
        lease_for: Duration,
    ) -> Result<Vec<Beat>, QueueError> {
        bounds::check_beats(&beats, lease_for)?;
        let lease_for = micros(lease_for);
        if beats.is_empty() {
            return Ok(Vec::new());
        }
        let mut args = Args::default();
        args.number(lease_for);
        for Heartbeat { lease, progress } in &beats {
            let progress = progress.as_ref().map_or("", |progress| progress.get());
            args.text(&lease.task_id).text(&lease.token).text(progress);
        }
        let answer = array(self.run(&self.scripts.beat, &args).await?)?;
        let beat = |value| match value {
            Value::Int(0) => Ok(Beat::Lost),
            Value::Int(1) => Ok(Beat::Held),
            Value::Int(2) => Ok(Beat::Cancelled),
            _ => Err(CallError::Unexpected.into()),
        };
        answer.into_iter().map(beat).collect()
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>, QueueError> {
        bounds::check_settlements(&settlements)?;
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        let mut args = Args::default();
        for settlement in &settlements {
            write_settlement(&mut args, settlement)?;
        }
        let answer = array(self.run(&self.scripts.settle, &args).await?)?;
        Ok(answer.into_iter().map(|held| held == Value::Int(1)).collect())
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        let sweep = self.tends.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY);
        let mut tended = Tended::default();
        for slice in 0..SLICES_MAX {
            let mut args = Args::default();
            args.number(i64::try_from(SLICE).unwrap_or(1)).number((sweep && slice == 0).into());
            let answer = array(self.run(&self.scripts.tend, &args).await?)?;
            let counts = answer.iter().map(|count| usize::try_from(number(count)?).ok());
            let counts = counts.collect::<Option<Vec<_>>>().ok_or(CallError::Unexpected)?;
            let [promoted, recovered, quarantined, forgotten, more] = counts[..] else {
                return Err(CallError::Unexpected.into());
            };
            tended.promoted += promoted;
            tended.recovered += recovered;
            tended.quarantined += quarantined;
            tended.forgotten += forgotten;
            if more == 0 {
                break;
            }
        }
        Ok(tended)
    }
}
