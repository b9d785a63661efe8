//! Defines, shows, deletes and runs schedules. For administrators.

use std::sync::Arc;

use outrigger_kernel::{Clock, Ctx, Error, Page, PageRequest, Result, Timestamp, limits};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, StoreError};
use serde_json::json;

use super::lease::SchedulerLease;
use super::model::{Schedule, ScheduleInput, ScheduleSource, ScheduleView};
use super::timing::{Timing, bad_cron};
use crate::audit::{Action, Audit, Change};
use crate::cursor::List;
use crate::ports::Ports;
use crate::tasks::Tasks;
use crate::tasks::kind::check_name;

/// Most tries of a change that others get in the way of.
const TRIES: usize = 8;
/// So many of the next ticks are shown.
const SHOWN: usize = 5;

/// The schedules of a deployment.
#[derive(Clone, Debug)]
pub struct Schedules {
    pub(super) tasks: Tasks,
    pub(super) kept: Collection<Schedule>,
    pub(super) leases: Collection<SchedulerLease>,
    pub(super) audit: Audit,
    pub(super) clock: Arc<dyn Clock>,
}

impl Schedules {
    /// Schedules of these tasks.
    pub fn new(ports: &Ports, audit: Audit, tasks: Tasks) -> Self {
        Self {
            tasks,
            kept: ports.collection(),
            leases: ports.collection(),
            audit,
            clock: ports.clock.clone(),
        }
    }

    /// Defines the schedule, anew or differently; says whether it is new. A tick that is due and has
    /// not fired yet still does, unless cron, time zone or `enabled` change.
    ///
    /// # Errors
    /// `forbidden`, `invalid` with the place, `conflict` (`too_many_schedules`,
    /// `schedule_in_settings`).
    pub async fn put(
        &self,
        ctx: &Ctx,
        name: &str,
        input: ScheduleInput,
    ) -> Result<(ScheduleView, bool)> {
        ctx.require_admin()?;
        check_name(name, &["path", "name"])?;
        let wanted = self.check(ctx, &input, ScheduleSource::Api)?;
        for _ in 0..TRIES {
            let current = self.kept.find(name).await?;
            if let Some(current) = &current {
                not_in_settings(&current.value)?;
            }
            if let Some(saved) = self.save(ctx, name, current, &wanted).await? {
                return Ok(saved);
            }
        }
        Err(too_contended())
    }

    /// The schedule.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn get(&self, ctx: &Ctx, name: &str) -> Result<ScheduleView> {
        ctx.require_admin()?;
        Ok(view(name, self.find(name).await?.value))
    }

    /// All schedules by name.
    ///
    /// # Errors
    /// `forbidden`, `invalid` naming the parameter.
    pub async fn list(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<ScheduleView>> {
        ctx.require_admin()?;
        let list = List::of("schedules");
        let (order, all) = (Order::Id, index_value::all());
        let after = list.after(page)?;
        let (found, next) = self.kept.list(order, all, false, after, page.limit).await?;
        let items = found.into_iter().map(|found| view(&found.id, found.value)).collect();
        Ok(Page { items, next_cursor: list.next(next) })
    }

    /// Deletes the schedule. What it has enqueued runs.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `conflict` (`schedule_in_settings`).
    pub async fn delete(&self, ctx: &Ctx, name: &str) -> Result<()> {
        ctx.require_admin()?;
        for _ in 0..TRIES {
            let found = self.find(name).await?;
            not_in_settings(&found.value)?;
            if self.remove(ctx, &found).await? {
                return Ok(());
            }
        }
        Err(too_contended())
    }

    /// Enqueues the schedule's task now, beside its ticks; also when it is not enabled. With an
    /// idempotency key, once. The task's id, and the task as JSON.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `conflict` (`not_unique`).
    pub async fn run(
        &self,
        ctx: &Ctx,
        name: &str,
        idempotency_key: Option<&str>,
    ) -> Result<(String, String)> {
        ctx.require_admin()?;
        let task = self.find(name).await?.value.input.task;
        self.tasks.enqueue_of(ctx, Some(name), task.input(), idempotency_key).await
    }

    /// Checks all that can be wrong on its own.
    pub(super) fn check<'a>(
        &self,
        ctx: &Ctx,
        input: &'a ScheduleInput,
        source: ScheduleSource,
    ) -> Result<Wanted<'a>> {
        let timing = Timing::new(&input.cron, &input.time_zone)?;
        if timing.next(self.clock.now()).is_none() {
            return Err(bad_cron("there is no such day: it would never run"));
        }
        let task = self.tasks.prepare(ctx, input.task.input());
        task.map_err(|error| error.relocated(&["body", "task"]))?;
        Ok(Wanted { input, timing, source })
    }

    /// Writes the schedule over what was found; `None` when somebody else was quicker.
    pub(super) async fn save(
        &self,
        ctx: &Ctx,
        name: &str,
        current: Option<Stored<Schedule>>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<(ScheduleView, bool)>> {
        let is_new = current.is_none();
        if is_new {
            self.refuse_too_many().await?;
        }
        let precondition =
            current.as_ref().map_or(Precondition::Absent, |c| Precondition::Version(c.version));
        let now = self.clock.now();
        let before = current.map(|current| current.value);
        let schedule = Schedule {
            next_run_at: wanted.next_after(before.as_ref(), now),
            last_run_at: before.as_ref().and_then(|before| before.last_run_at),
            last_task_id: before.as_ref().and_then(|before| before.last_task_id.clone()),
            last_error: None,
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            updated_at: now,
            input: wanted.input.clone(),
            source: wanted.source,
        };
        let details = json!({"new": is_new, "source": wanted.source});
        let change = Change::of(before.as_ref(), Some(&schedule))?;
        let batch = Batch::of([
            Collection::put(name, &schedule, precondition)?,
            self.audit.change(ctx, Action::ScheduleChanged, name, change, details)?,
        ]);
        Ok(self.commit(batch).await?.then(|| (view(name, schedule), is_new)))
    }

    /// Deletes what was found; false when somebody has changed it since.
    pub(super) async fn remove(&self, ctx: &Ctx, found: &Stored<Schedule>) -> Result<bool> {
        let expected = Precondition::Version(found.version);
        let change = Change::of(Some(&found.value), None)?;
        self.commit(Batch::of([
            Collection::<Schedule>::delete(&found.id, expected),
            self.audit.change(ctx, Action::ScheduleDeleted, &found.id, change, json!({}))?,
        ]))
        .await
    }

    async fn commit(&self, batch: Batch) -> Result<bool> {
        match self.kept.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Precondition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn find(&self, name: &str) -> Result<Stored<Schedule>> {
        // What can be no name is not asked for.
        check_name(name, &["path", "name"]).map_err(|_| Error::not_found("schedule"))?;
        self.kept.get(name).await
    }

    async fn refuse_too_many(&self) -> Result<()> {
        let most = limits::SCHEDULES_MAX;
        let (order, all) = (Order::Id, index_value::all());
        let (found, _) = self.kept.list(order, all, false, None, most).await?;
        if found.len() < most {
            return Ok(());
        }
        Err(Error::conflict("too_many_schedules", format!("there are {most} schedules already")))
    }
}

fn view(name: &str, schedule: Schedule) -> ScheduleView {
    let Schedule { input, source, next_run_at, last_run_at, .. } = schedule;
    let timing = Timing::new(&input.cron, &input.time_zone).ok();
    let following = |at: &Timestamp| timing.as_ref().and_then(|timing| timing.next(*at));
    let next_runs = std::iter::successors(next_run_at, following).take(SHOWN).collect();
    ScheduleView {
        name: name.to_owned(),
        cron: input.cron,
        time_zone: input.time_zone,
        task: input.task,
        enabled: input.enabled,
        catch_up: input.catch_up,
        source,
        next_run_at,
        next_runs,
        last_run_at,
        last_task_id: schedule.last_task_id,
        last_error: schedule.last_error,
        created_at: schedule.created_at,
        updated_at: schedule.updated_at,
    }
}

/// What a schedule is to be, found right.
pub(super) struct Wanted<'a> {
    input: &'a ScheduleInput,
    timing: Timing,
    source: ScheduleSource,
}

impl Wanted<'_> {
    /// The next tick; that of before where the times are the same.
    fn next_after(&self, before: Option<&Schedule>, now: Timestamp) -> Option<Timestamp> {
        if !self.input.enabled {
            return None;
        }
        let has_same_times = |before: &&Schedule| {
            before.input.cron == self.input.cron && before.input.time_zone == self.input.time_zone
        };
        let planned = before.filter(has_same_times).and_then(|before| before.next_run_at);
        planned.or_else(|| self.timing.next(now))
    }
}

fn not_in_settings(schedule: &Schedule) -> Result<()> {
    match schedule.source {
        ScheduleSource::Api => Ok(()),
        ScheduleSource::Config => Err(Error::conflict(
            "schedule_in_settings",
            "this schedule stands in the settings of the deployment; change it there",
        )),
    }
}

pub(super) fn too_contended() -> Error {
    Error::conflict("concurrent_change", "the schedule is being changed by others; try again")
}
