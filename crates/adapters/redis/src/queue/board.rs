//! The task board: looking at tasks and queues, and changing what they do.

use std::time::Duration;

use async_trait::async_trait;
use outrigger_kernel::Timestamp;
use outrigger_ports::probe::Probed;
use outrigger_ports::queue::{
    LOOKED_AT_MAX, Listed, QueueError, QueueState, Status, TaskBoard, TaskFilter, TaskRecord,
    bounds,
};
use redis::Value;

use super::record::{letter, number, read, text};
use super::scripts::Args;
use super::{RedisQueue, array, check};
use crate::error::CallError;

/// Tasks that one script looks at; with a filter that few pass, several scripts are needed.
const SLICE: usize = 500;

impl RedisQueue {
    async fn change(&self, id: &str, verb: &str) -> Result<Option<TaskRecord>, QueueError> {
        let mut args = Args::default();
        args.text(id).text(verb);
        match self.run(&self.scripts.change, &args).await? {
            Value::Nil => Ok(None),
            record => Ok(Some(read(record)?)),
        }
    }
}

fn state(value: Value) -> Result<QueueState, CallError> {
    let fields = array(value)?;
    let count = |at: usize| {
        let count = fields.get(at).and_then(number).ok_or(CallError::Unexpected)?;
        u64::try_from(count).map_err(|_| CallError::Unexpected)
    };
    let name = fields.first().and_then(text).ok_or(CallError::Unexpected)?.to_owned();
    let since = Duration::from_millis(count(6)?);
    Ok(QueueState {
        name,
        paused: count(1)? == 1,
        queued: count(2)?,
        scheduled: count(3)?,
        running: count(4)?,
        dead: count(5)?,
        oldest: (!since.is_zero()).then(|| Timestamp::from_micros(0).plus(since)),
    })
}

#[async_trait]
impl TaskBoard for RedisQueue {
    async fn find(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        self.change(id, "find").await
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Listed, QueueError> {
        let set = match filter.status {
            Some(Status::Running) => "held",
            Some(Status::Scheduled) => "due",
            Some(Status::Failed) => "f:f",
            Some(Status::Cancelled) => "f:c",
            Some(Status::Dead) => "f:d",
            None | Some(Status::Queued | Status::Succeeded) => "all",
        };
        let mut after = filter.after.clone().unwrap_or_default();
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let any = filter.kind.is_none() && filter.queue.is_none();
        let slice = if any && filter.status.is_none() { filter.limit.min(SLICE) } else { SLICE };
        while found.len() < filter.limit && looked_at < LOOKED_AT_MAX {
            let mut args = Args::default();
            args.text(set).text(&after);
            args.text(filter.status.map_or("", letter));
            args.text(filter.kind.as_deref().unwrap_or_default());
            args.text(filter.queue.as_deref().unwrap_or_default());
            args.number(i64::try_from(slice).unwrap_or(1));
            args.number(i64::try_from(LOOKED_AT_MAX).unwrap_or(1));
            args.number(i64::try_from(filter.limit - found.len()).unwrap_or(1));
            looked_at += slice;
            let answer = array(self.run(&self.scripts.list, &args).await?)?;
            let [last, records] =
                <[Value; 2]>::try_from(answer).map_err(|_| CallError::Unexpected)?;
            for record in array(records)? {
                found.push(read(record)?);
            }
            text(&last).ok_or(CallError::Unexpected)?.clone_into(&mut after);
            if after.is_empty() {
                break;
            }
        }
        Ok(Listed::of(found, filter.limit, Some(after).filter(|after| !after.is_empty())))
    }

    async fn cancel(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        self.change(id, "cancel").await
    }

    async fn replay(&self, id: &str) -> Result<Option<TaskRecord>, QueueError> {
        self.change(id, "replay").await
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> Result<(), QueueError> {
        bounds::check_name("queue", queue)?;
        let mut args = Args::default();
        args.text(queue).number(paused.into());
        self.run(&self.scripts.pause, &args).await?;
        Ok(())
    }

    /// Counts are exact.
    async fn queues(&self, _most: usize) -> Result<Vec<QueueState>, QueueError> {
        let answer = array(self.run(&self.scripts.queues, &Args::default()).await?)?;
        let mut states = answer.into_iter().map(state).collect::<Result<Vec<_>, _>>()?;
        states.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(states)
    }

    async fn probe(&self) -> Result<Probed, QueueError> {
        check::probe(&self.client, &self.channel, &format!("{}wake", self.base)).await
    }
}
