//! Schedules that stand in the settings: they win over what is stored under the same name.

use std::collections::BTreeMap;

use outrigger_kernel::{Ctx, Error, Result, limits};
use outrigger_ports::collection::Stored;
use outrigger_ports::index_value;
use outrigger_ports::store::Order;
use schemars::schema_for;

use super::model::{Schedule, ScheduleInput, ScheduleSource};
use super::service::{Schedules, too_contended};
use crate::schema::Schema;
use crate::tasks::kind::check_name;

/// Most tries of a change that others get in the way of.
const TRIES: usize = 16;

impl Schedules {
    /// Makes the schedules of the settings what these say, and deletes those that were there and
    /// are no more. Any number of processes may, with the same settings.
    ///
    /// # Errors
    /// `invalid` that names the schedule and the place; `unavailable`.
    pub async fn configure(
        &self,
        ctx: &Ctx,
        wanted: &BTreeMap<String, ScheduleInput>,
    ) -> Result<()> {
        ctx.require_admin()?;
        let schema = Schema::compile(&schema_for!(ScheduleInput).to_value())?;
        for (name, input) in wanted {
            let value = serde_json::to_value(input).map_err(Error::internal)?;
            let place: &[&str] = &["schedules", name];
            check_name(name, place)?;
            schema.check(&value).map_err(|error| error.within(place))?;
            self.configure_one(ctx, name, input).await?;
        }
        for _ in 0..TRIES {
            if self.remove_others(ctx, wanted).await? {
                return Ok(());
            }
        }
        Err(too_contended())
    }

    async fn configure_one(&self, ctx: &Ctx, name: &str, input: &ScheduleInput) -> Result<()> {
        let source = ScheduleSource::Config;
        let wanted = self.check(ctx, input, source);
        let wanted = wanted.map_err(|error| error.relocated(&["schedules", name]))?;
        for _ in 0..TRIES {
            let current = self.kept.find(name).await?;
            let is_there = |current: &Stored<Schedule>| {
                current.value.source == source && current.value.input == *input
            };
            if current.as_ref().is_some_and(is_there)
                || self.save(ctx, name, current, &wanted).await?.is_some()
            {
                return Ok(());
            }
        }
        Err(too_contended())
    }

    /// Deletes what stood in the settings before; false when somebody got in the way.
    async fn remove_others(
        &self,
        ctx: &Ctx,
        wanted: &BTreeMap<String, ScheduleInput>,
    ) -> Result<bool> {
        let (order, all) = (Order::Id, index_value::all());
        let (found, _) = self.kept.list(order, all, false, None, limits::SCHEDULES_MAX).await?;
        let mut done = true;
        for schedule in found {
            let is_ours = schedule.value.source == ScheduleSource::Config;
            if is_ours && !wanted.contains_key(&schedule.id) {
                done &= self.remove(ctx, &schedule).await?;
            }
        }
        Ok(done)
    }
}
