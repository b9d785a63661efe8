//! The queue port in its simplest form, to compare queues with: one map, no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::queue::{
    Beat, DEAD_RETENTION, Enqueued, Outcome, Status, Task, TaskRecord, Tended,
};

/// One task, and the lease on it.
#[derive(Clone, Debug)]
pub(super) struct Modelled {
    pub(super) record: TaskRecord,
    due: Timestamp,
    returned: bool,
    lease: Option<(String, Timestamp)>,
}

/// All tasks by id.
#[derive(Debug, Default)]
pub(super) struct Model(BTreeMap<String, Modelled>);

impl Model {
    pub(super) fn get(&self, id: &str) -> Option<&TaskRecord> {
        self.0.get(id).map(|task| &task.record)
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &TaskRecord> {
        self.0.values().map(|task| &task.record)
    }

    /// What has been kept for long enough is forgotten.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, task| {
            let record = &task.record;
            let dead = record.status == Status::Dead;
            let kept = if dead { DEAD_RETENTION } else { record.task.retention() };
            !record.status.is_final() || record.finished_at.is_some_and(|at| at.plus(kept) > now)
        });
    }

    fn holder(&self, task: &Task) -> Option<String> {
        let key = task.unique_key.as_ref()?;
        let holds = |other: &&TaskRecord| {
            !other.status.is_final()
                && other.task.kind == task.kind
                && other.task.unique_key.as_ref() == Some(key)
        };
        self.all().find(holds).map(|record| record.task.id.clone())
    }

    pub(super) fn enqueue(&mut self, task: &Task, now: Timestamp) -> Enqueued {
        if self.0.contains_key(&task.id) {
            return Enqueued::Known;
        }
        if let Some(of) = self.holder(task) {
            return Enqueued::Duplicate { of };
        }
        let record = TaskRecord::new(task.clone(), now);
        let task = Modelled { due: record.run_at, record, returned: false, lease: None };
        self.0.insert(task.record.task.id.clone(), task);
        Enqueued::New
    }

    /// Those whose turn it is, in their order.
    pub(super) fn next(&self, kind: &str, limit: usize) -> Vec<String> {
        let waits = |task: &&Modelled| {
            task.record.status == Status::Queued && task.record.task.kind == kind
        };
        let mut waiting: Vec<&Modelled> = self.0.values().filter(waits).collect();
        waiting.sort_by_key(|task| {
            let first = limits::TASK_PRIORITY_MAX - task.record.task.priority;
            (first, !task.returned, task.due, task.record.task.id.clone())
        });
        waiting.iter().take(limit).map(|task| task.record.task.id.clone()).collect()
    }

    pub(super) fn claimed(&mut self, id: &str, token: &str, until: Timestamp) {
        let task = self.0.get_mut(id).expect("the task is known");
        task.record.status = Status::Running;
        task.record.attempts += 1;
        task.returned = false;
        task.lease = Some((token.to_owned(), until));
    }

    fn held(&mut self, id: &str, token: &str, now: Timestamp) -> Option<&mut Modelled> {
        let holds = |lease: &(String, Timestamp)| lease.0 == token && lease.1 > now;
        self.0.get_mut(id).filter(|task| task.lease.as_ref().is_some_and(holds))
    }

    pub(super) fn beat(&mut self, id: &str, token: &str, now: Timestamp, by: Duration) -> Beat {
        let Some(task) = self.held(id, token, now) else { return Beat::Lost };
        task.lease = Some((token.to_owned(), now.plus(by)));
        if task.record.cancel_requested { Beat::Cancelled } else { Beat::Held }
    }

    pub(super) fn settle(&mut self, id: &str, token: &str, end: &Outcome, now: Timestamp) -> bool {
        let Some(task) = self.held(id, token, now) else { return false };
        task.lease = None;
        match end {
            Outcome::Succeeded { .. } => task.finish(Status::Succeeded, now),
            Outcome::Failed { .. } => task.finish(Status::Failed, now),
            Outcome::Dead { .. } => task.finish(Status::Dead, now),
            Outcome::Cancelled => task.finish(Status::Cancelled, now),
            Outcome::Released => {
                task.record.attempts -= 1;
                if task.may_go_on(now) {
                    task.put_back();
                }
            }
            Outcome::Retry { at, .. } | Outcome::Postponed { at } => {
                if matches!(end, Outcome::Postponed { .. }) {
                    task.record.attempts -= 1;
                }
                if task.may_go_on(now) {
                    task.due = (*at).max(now);
                    task.record.run_at = *at;
                    let later = *at > now;
                    task.record.status = if later { Status::Scheduled } else { Status::Queued };
                }
            }
        }
        true
    }

    pub(super) fn cancel(&mut self, id: &str, now: Timestamp) {
        let Some(task) = self.0.get_mut(id) else { return };
        match task.record.status {
            Status::Running => task.record.cancel_requested = true,
            Status::Scheduled | Status::Queued => task.finish(Status::Cancelled, now),
            _ => {}
        }
    }

    pub(super) fn replay(&mut self, id: &str, now: Timestamp) {
        let Some(task) = self.0.get(id) else { return };
        let ended = [Status::Failed, Status::Cancelled, Status::Dead];
        if !ended.contains(&task.record.status) || self.holder(&task.record.task).is_some() {
            return;
        }
        let mut record = TaskRecord::new(task.record.task.clone(), now);
        record.status = Status::Queued;
        record.run_at = now;
        let fresh = Modelled { record, due: now, returned: false, lease: None };
        self.0.insert(id.to_owned(), fresh);
    }

    pub(super) fn tend(&mut self, now: Timestamp) -> Tended {
        let mut tended = Tended::default();
        for task in self.0.values_mut() {
            if task.record.status == Status::Scheduled && task.record.run_at <= now {
                task.record.status = Status::Queued;
                tended.promoted += 1;
            }
            if task.lease.take_if(|lease| lease.1 <= now).is_some() {
                task.record.crashes += 1;
                if task.may_go_on(now) {
                    task.put_back();
                    tended.recovered += 1;
                }
                tended.quarantined += usize::from(task.record.status == Status::Dead);
            }
        }
        tended
    }
}

impl Modelled {
    fn finish(&mut self, status: Status, now: Timestamp) {
        self.record.status = status;
        self.record.finished_at = Some(now);
        self.lease = None;
    }

    fn put_back(&mut self) {
        self.returned = true;
        self.record.status = Status::Queued;
    }

    fn may_go_on(&mut self, now: Timestamp) -> bool {
        let record = &self.record;
        let spent = record.attempts >= record.task.max_attempts
            || record.crashes >= limits::TASK_CRASHES_MAX;
        if record.cancel_requested {
            self.finish(Status::Cancelled, now);
        } else if spent {
            self.finish(Status::Dead, now);
        } else {
            return true;
        }
        false
    }
}
