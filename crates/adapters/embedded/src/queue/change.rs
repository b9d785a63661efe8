//! What happens to a task: the transitions, without any I/O.

use std::time::Duration;

use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::queue::{Attempt, Failure, Outcome, Status};

use super::stored::{Held, Stored};

impl Stored {
    /// A worker gets it.
    pub(super) fn start(&mut self, held: Held, now: Timestamp) {
        self.claims += 1;
        self.returned = false;
        self.lease = Some(held);
        self.record.attempts += 1;
        self.record.status = Status::Running;
        self.record.started_at = Some(now);
        self.record.progress = None;
    }

    /// Its lease is extended.
    pub(super) fn extend(&mut self, until: Timestamp) {
        if let Some(held) = &mut self.lease {
            held.until = until;
        }
    }

    /// Its attempt has ended.
    pub(super) fn settle(&mut self, outcome: Outcome, now: Timestamp) {
        let lease = self.lease.take();
        match outcome {
            Outcome::Succeeded { result } => {
                self.record.result = result;
                self.record.error = None;
                self.finish(Status::Succeeded, now);
            }
            Outcome::Failed { error } => {
                self.failed(lease, error, now);
                self.finish(Status::Failed, now);
            }
            Outcome::Dead { error } => {
                self.failed(lease, error, now);
                self.finish(Status::Dead, now);
            }
            Outcome::Cancelled => self.finish(Status::Cancelled, now),
            Outcome::Retry { error, at } => {
                self.failed(lease, error, now);
                if self.comes_back(now) {
                    self.wait_until(at, now);
                }
            }
            Outcome::Released => {
                self.take_back();
                if self.comes_back(now) {
                    self.put_back();
                }
            }
            Outcome::Postponed { at } => {
                self.take_back();
                if self.comes_back(now) {
                    self.wait_until(at, now);
                }
            }
        }
    }

    /// Its worker was lost.
    pub(super) fn lose(&mut self, now: Timestamp) {
        let lease = self.lease.take();
        let worker = lease.as_ref().map_or("", |held| &held.worker);
        let ended = lease.as_ref().map_or(now, |held| held.until);
        let message = format!("the worker {worker} gave no sign of life until its lease ended");
        let error = Failure { code: "worker_lost".to_owned(), message };
        self.record.crashes += 1;
        self.failed(lease, error, ended);
        if self.comes_back(now) {
            self.put_back();
        }
    }

    /// Whether it may run again; if not, it is dead or cancelled now.
    fn comes_back(&mut self, now: Timestamp) -> bool {
        let record = &self.record;
        if record.cancel_requested {
            self.finish(Status::Cancelled, now);
        } else if record.crashes >= limits::TASK_CRASHES_MAX
            || record.attempts >= record.task.max_attempts
        {
            self.finish(Status::Dead, now);
        } else {
            return true;
        }
        false
    }

    /// The attempt does not count.
    fn take_back(&mut self) {
        self.record.attempts = self.record.attempts.saturating_sub(1);
    }

    fn put_back(&mut self) {
        self.returned = true;
        self.record.status = Status::Queued;
    }

    fn wait_until(&mut self, at: Timestamp, now: Timestamp) {
        self.due = at.max(now);
        self.record.run_at = at;
        self.record.status = if at > now { Status::Scheduled } else { Status::Queued };
    }

    fn failed(&mut self, lease: Option<Held>, error: Failure, ended_at: Timestamp) {
        let error = error.within_bounds();
        let record = &mut self.record;
        record.error = Some(error.clone());
        record.history.push(Attempt {
            number: record.attempts,
            worker: lease.map_or_else(String::new, |held| held.worker),
            started_at: record.started_at.unwrap_or(ended_at),
            ended_at,
            error,
        });
        let over = record.history.len().saturating_sub(limits::TASK_HISTORY_MAX);
        record.history.drain(..over);
    }

    fn finish(&mut self, status: Status, now: Timestamp) {
        self.lease = None;
        self.record.status = status;
        self.record.finished_at = Some(now);
    }

    /// Its time has come.
    pub(super) fn promote(&mut self) {
        self.record.status = Status::Queued;
    }

    /// Somebody does not want it any more. Whether that changes something.
    pub(super) fn cancel(&mut self, now: Timestamp) -> bool {
        match self.record.status {
            Status::Scheduled | Status::Queued => self.finish(Status::Cancelled, now),
            Status::Running if !self.record.cancel_requested => {
                self.record.cancel_requested = true;
            }
            _ => return false,
        }
        true
    }

    /// Somebody wants it again. Whether that changes something.
    pub(super) fn replay(&mut self, now: Timestamp) -> bool {
        let record = &mut self.record;
        if !matches!(record.status, Status::Failed | Status::Cancelled | Status::Dead) {
            return false;
        }
        record.attempts = 0;
        record.crashes = 0;
        record.progress = None;
        record.result = None;
        record.error = None;
        record.started_at = None;
        record.finished_at = None;
        record.cancel_requested = false;
        record.run_at = now;
        record.status = Status::Queued;
        self.due = now;
        self.returned = false;
        true
    }
}

/// The lease that is given now.
pub(super) fn held(
    stored: &Stored,
    random: [u8; 8],
    worker: &str,
    now: Timestamp,
    lease_for: Duration,
) -> Held {
    let token = format!("{}.{}", stored.claims + 1, outrigger_kernel::id::hex(&random));
    Held { token, worker: worker.to_owned(), until: now.plus(lease_for), limited: false }
}
