//! What a queue refuses, the same on every adapter, which calls these checks first.

use std::time::Duration;

use outrigger_kernel::limits;

use super::{Claim, Failure, Heartbeat, Lease, Outcome, QueueError, Settlement, Task};

/// Longest name of a worker, in bytes.
pub const WORKER_BYTES_MAX: usize = 64;
/// The shortest lease.
pub const LEASE_MIN: Duration = Duration::from_secs(1);

/// Longest `created_by` and `trace` of a task, in bytes.
const NOTE_BYTES_MAX: usize = 200;
/// Longest code of a failure, in bytes; what is beyond is cut off.
const CODE_BYTES_MAX: usize = 100;

fn bound<T>(what: String) -> Result<T, QueueError> {
    Err(QueueError::Bound(what))
}

/// Refuses more than [`limits::TASKS_MAX`] of something in one call.
///
/// # Errors
/// [`QueueError::Bound`].
pub fn check_count(what: &str, count: usize) -> Result<(), QueueError> {
    if count <= limits::TASKS_MAX {
        return Ok(());
    }
    bound(format!("{count} {what} in one call; at most {}", limits::TASKS_MAX))
}

/// Whether this can be the name of a queue or a kind: `[A-Za-z0-9_.-]`, 1 to
/// [`limits::TASK_NAME_BYTES_MAX`] bytes.
pub fn is_task_name(name: &str) -> bool {
    (1..=limits::TASK_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Refuses what cannot be the name of a queue or a kind.
///
/// # Errors
/// [`QueueError::Bound`] says which, with `what` before it.
pub fn check_name(what: &str, name: &str) -> Result<(), QueueError> {
    if is_task_name(name) {
        return Ok(());
    }
    bound(format!(
        "{what} is not 1 to {} bytes of letters, digits, _ . -",
        limits::TASK_NAME_BYTES_MAX
    ))
}

fn check_bytes(what: &str, bytes: usize, most: usize) -> Result<(), QueueError> {
    if bytes <= most {
        return Ok(());
    }
    bound(format!("{what} has {bytes} bytes; at most {most}"))
}

impl Task {
    /// Refuses a task that is over a bound.
    ///
    /// # Errors
    /// [`QueueError::Bound`] names the task and the bound.
    pub fn check(&self) -> Result<(), QueueError> {
        let of = |what: &str| format!("{what} of task {}", self.id);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-');
        if !(1..=limits::ID_BYTES_MAX).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return bound(format!(
                "a task's id is not 1 to {} bytes of letters, digits, _ . : -",
                limits::ID_BYTES_MAX
            ));
        }
        check_name(&of("queue"), &self.queue)?;
        check_name(&of("kind"), &self.kind)?;
        let payload = self.payload.get().len();
        let most = match self.sealed {
            true => limits::TASK_SEALED_BYTES_MAX,
            false => limits::TASK_PAYLOAD_BYTES_MAX,
        };
        check_bytes(&of("payload"), payload, most)?;
        if let Some(key) = &self.unique_key {
            check_bytes(&of("unique key"), key.len(), limits::TASK_UNIQUE_KEY_BYTES_MAX)?;
        }
        for (what, note) in [("created_by", &self.created_by), ("trace", &self.trace)] {
            check_bytes(&of(what), note.as_ref().map_or(0, String::len), NOTE_BYTES_MAX)?;
        }
        if self.priority > limits::TASK_PRIORITY_MAX {
            let most = limits::TASK_PRIORITY_MAX;
            return bound(format!("{} is {}; at most {most}", of("priority"), self.priority));
        }
        if !(1..=limits::TASK_ATTEMPTS_MAX).contains(&self.max_attempts) {
            let most = limits::TASK_ATTEMPTS_MAX;
            return bound(format!("{} is not 1 to {most}", of("max_attempts")));
        }
        Ok(())
    }
}

/// Refuses what no queue takes.
///
/// # Errors
/// [`QueueError::Bound`] names the task and the bound.
pub fn check_tasks(tasks: &[Task]) -> Result<(), QueueError> {
    check_count("tasks", tasks.len())?;
    tasks.iter().try_for_each(Task::check)
}

/// Refuses a lease that is too short.
///
/// # Errors
/// [`QueueError::Bound`].
pub fn check_lease_for(lease_for: Duration) -> Result<(), QueueError> {
    if lease_for >= LEASE_MIN {
        return Ok(());
    }
    bound(format!("a lease of {lease_for:?}; at least {LEASE_MIN:?}"))
}

impl Claim<'_> {
    /// Refuses a claim that is over a bound.
    ///
    /// # Errors
    /// [`QueueError::Bound`] names the bound.
    pub fn check(&self) -> Result<(), QueueError> {
        check_name("queue", self.queue)?;
        for limits in self.kinds {
            check_name("kind", &limits.kind)?;
        }
        if !(1..=limits::TASKS_MAX).contains(&self.limit) {
            return bound(format!("limit is not 1 to {}", limits::TASKS_MAX));
        }
        if !(1..=WORKER_BYTES_MAX).contains(&self.worker.len()) {
            return bound(format!("the worker's name is not 1 to {WORKER_BYTES_MAX} bytes"));
        }
        check_lease_for(self.lease_for)
    }
}

/// Refuses progress that is too much to keep.
///
/// # Errors
/// [`QueueError::Bound`] names the task and the bound.
pub fn check_beats(beats: &[Heartbeat], lease_for: Duration) -> Result<(), QueueError> {
    check_count("heartbeats", beats.len())?;
    check_lease_for(lease_for)?;
    beats.iter().try_for_each(|Heartbeat { lease, progress }| {
        let bytes = progress.as_ref().map_or(0, |progress| progress.get().len());
        check_json("progress", lease, bytes)
    })
}

/// Refuses results that are too large to keep.
///
/// # Errors
/// [`QueueError::Bound`] names the task and the bound.
pub fn check_settlements(settlements: &[Settlement]) -> Result<(), QueueError> {
    check_count("settlements", settlements.len())?;
    settlements.iter().try_for_each(|settlement| match &settlement.outcome {
        Outcome::Succeeded { result: Some(result) } => {
            check_json("result", &settlement.lease, result.get().len())
        }
        _ => Ok(()),
    })
}

fn check_json(what: &str, lease: &Lease, bytes: usize) -> Result<(), QueueError> {
    let what = format!("{what} of task {}", lease.task_id);
    check_bytes(&what, bytes, limits::TASK_RESULT_BYTES_MAX)
}

impl Failure {
    /// The same, with texts cut off to what is kept of them ([`limits::TASK_ERROR_BYTES_MAX`]).
    #[must_use]
    pub fn within_bounds(mut self) -> Self {
        cut(&mut self.code, CODE_BYTES_MAX);
        cut(&mut self.message, limits::TASK_ERROR_BYTES_MAX);
        self
    }
}

/// Cuts the text off after `most` bytes, between two characters.
fn cut(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.truncate(end.unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let failure = Failure { code: "c".repeat(200), message: "é".repeat(2_000) };
        let kept = failure.within_bounds();
        assert_eq!((kept.code.len(), kept.message.len()), (100, 2_000));
        let odd = Failure { code: String::new(), message: format!("x{}", "é".repeat(2_000)) };
        assert_eq!(odd.within_bounds().message.len(), 1_999);
    }

    #[test]
    fn names_are_plain_and_bounded() {
        assert!(is_task_name("email.send") && is_task_name(&"k".repeat(64)));
        assert!(!is_task_name("") && !is_task_name(&"k".repeat(65)) && !is_task_name("a/b"));
        let refused = check_name("queue", "a b").unwrap_err().to_string();
        assert_eq!(refused, "queue is not 1 to 64 bytes of letters, digits, _ . -");
    }
}
