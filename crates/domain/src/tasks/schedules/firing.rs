//! Fires ticks: the tasks of a schedule and its next tick, in one batch.

use std::ops::Bound;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Timestamp, id};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::queue::Task;
use outrigger_ports::store::{Batch, Order, Precondition, StoreError};

use super::catch_up::choose;
use super::lease::Lead;
use super::model::{DUE, Schedule};
use super::service::Schedules;
use super::timing::Timing;

/// How far a look sees ahead; the pause until the next one is never longer.
const AHEAD: Duration = Duration::from_secs(1);
/// Most schedules that one look reads.
const LOOK: usize = 50;
/// Most tasks of one batch.
const TASKS: usize = 10;

/// What a look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// All that was due has fired; look again then at the latest.
    Next(Timestamp),
    /// Another scheduler has taken the lease.
    Lost,
}

/// What became of one batch.
enum Written {
    /// The version of the schedule now.
    Done(u64),
    /// Somebody else has changed the schedule.
    Changed,
    /// Another scheduler has taken the lease.
    Lost,
}

impl Schedules {
    /// Fires all ticks that are due, for the holder of the lease.
    ///
    /// # Errors
    /// `unavailable` when the store is away; then nothing is lost: what has not fired still will.
    pub async fn fire_due(&self, lead: &Lead) -> Result<Looked> {
        loop {
            let now = self.clock.now();
            let ahead = now.plus(AHEAD);
            let range = (Bound::Unbounded, Bound::Included(index_value::of_time(ahead)));
            let order = Order::Index(DUE);
            let (found, _) = self.kept.list(order, range, false, None, LOOK).await?;
            let mut next = ahead;
            let mut fired = false;
            for schedule in found {
                let Some(at) = schedule.value.next_run_at else { continue };
                if at > now {
                    next = next.min(at);
                } else if self.fire(schedule, now, lead).await? {
                    fired = true;
                } else {
                    return Ok(Looked::Lost);
                }
            }
            // What has fired may have its next tick within this second: look again.
            if !fired {
                return Ok(Looked::Next(next));
            }
        }
    }

    /// Fires what is due of one schedule; false when the lease is lost.
    async fn fire(&self, found: Stored<Schedule>, now: Timestamp, lead: &Lead) -> Result<bool> {
        let Stored { id: name, mut version, value: mut schedule } = found;
        let ctx = Ctx::system("scheduler");
        let timing = match Timing::new(&schedule.input.cron, &schedule.input.time_zone) {
            Ok(timing) => timing,
            Err(error) => {
                schedule.next_run_at = None;
                schedule.last_error = Some(error.to_string());
                let written = self.write(&name, version, &schedule, Vec::new(), lead).await?;
                return Ok(!matches!(written, Written::Lost));
            }
        };
        let first = schedule.next_run_at.unwrap_or(now);
        let due = timing.due(first, now);
        let missed = due.len();
        let ticks = choose(schedule.input.catch_up, due, now);
        count("skipped", missed - ticks.len());
        let mut rest = ticks.as_slice();
        loop {
            let (some, later) = rest.split_at(rest.len().min(TASKS));
            schedule.next_run_at = later.first().copied().or_else(|| timing.next(now));
            let tasks = match self.tasks_of(&ctx, &name, &schedule, some) {
                Ok(tasks) => {
                    schedule.last_error = None;
                    tasks
                }
                Err(error) if error.kind() == ErrorKind::Internal => return Err(error),
                // The kind is gone, or wants another payload now: the schedule goes on without.
                Err(error) => {
                    tracing::warn!(schedule = name, source = %error, "a schedule enqueues nothing");
                    count("failed", some.len());
                    schedule.last_error = Some(error.to_string());
                    Vec::new()
                }
            };
            match self.write(&name, version, &schedule, tasks, lead).await? {
                Written::Lost => return Ok(false),
                Written::Changed => return Ok(true),
                Written::Done(now_at) => version = now_at,
            }
            if later.is_empty() {
                return Ok(true);
            }
            rest = later;
        }
    }

    /// The tasks of these ticks. Their ids follow from schedule and tick: the same tick twice is the
    /// same task.
    fn tasks_of(
        &self,
        ctx: &Ctx,
        name: &str,
        schedule: &Schedule,
        ticks: &[Timestamp],
    ) -> Result<Vec<Task>> {
        ticks
            .iter()
            .map(|tick| {
                let task = self.tasks.prepare(ctx, schedule.input.task.input())?;
                let task = Task { id: task_id(name, *tick), run_at: *tick, ..task };
                task.check()?;
                Ok(task)
            })
            .collect()
    }

    /// Commits the schedule with its tasks. A task that is there already, or whose unique key is
    /// taken, is left out.
    async fn write(
        &self,
        name: &str,
        version: u64,
        schedule: &Schedule,
        mut tasks: Vec<Task>,
        lead: &Lead,
    ) -> Result<Written> {
        loop {
            let mut schedule = schedule.clone();
            if let Some(last) = tasks.last() {
                schedule.last_run_at = Some(last.run_at);
                schedule.last_task_id = Some(last.id.clone());
            }
            let mut staged = self.tasks.stage(tasks.clone())?;
            let of_each = staged.writes.len() / tasks.len().max(1);
            let mut writes = vec![
                lead.check(),
                Collection::put(name, &schedule, Precondition::Version(version))?,
            ];
            let own = writes.len();
            writes.append(&mut staged.writes);
            let (write, outcome) = match self.kept.store().commit(Batch::of(writes)).await {
                Ok(versions) => {
                    let overlapped = self.tasks.committed(staged).await;
                    count("fired", tasks.len() - overlapped);
                    count("overlapped", overlapped);
                    return Ok(Written::Done(versions.get(1).copied().unwrap_or(version + 1)));
                }
                Err(StoreError::Precondition { write: 0, .. }) => return Ok(Written::Lost),
                Err(StoreError::Precondition { write: 1, .. }) => return Ok(Written::Changed),
                Err(StoreError::Precondition { write, .. }) => (write, "known"),
                Err(StoreError::Unique { write, .. }) if write >= own => (write, "overlapped"),
                Err(error) => return Err(error.into()),
            };
            let place = (write - own) / of_each.max(1);
            if place >= tasks.len() {
                return Err(Error::internal("a write of no task was refused"));
            }
            let task = tasks.remove(place);
            tracing::debug!(schedule = name, task.id, outcome, "a tick enqueues nothing");
            count(outcome, 1);
        }
    }
}

/// The id of the task of this tick; sorts by the time of the tick.
fn task_id(name: &str, tick: Timestamp) -> String {
    let digest = digest(&SHA256, format!("{name} {}", tick.as_micros()).as_bytes());
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest.as_ref()[..10]);
    id::of_parts("tsk", tick, tail)
}

fn count(outcome: &'static str, ticks: usize) {
    metrics::counter!("outrigger_schedule_ticks_total", "outcome" => outcome)
        .increment(ticks as u64);
}
