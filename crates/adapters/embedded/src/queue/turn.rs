//! The index entries of a task: whose turn it is, and how it is listed.
//!
//! One index, `turn`, leads to all that waits for something; its values begin with a letter that
//! says for what:
//!
//! | value | whose | in the order of |
//! |---|---|---|
//! | `q` queue 0 kind 0 priority back due | queued | the lane: greater priority first, what came back before the rest, then since when it is due |
//! | `s` time | scheduled | when it is due |
//! | `r` time | running | when its lease ends |
//!
//! The names of queues and kinds have no byte 0, so a lane is all that begins with its first parts.
//! `status` is for lists; queued and running are one value there, so that a claim need not change
//! it. `limited` finds the running tasks of a kind that may run only so often at once.

use std::ops::Bound;

use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::index_value::{Range, starting_with};
use outrigger_ports::queue::Status;
use outrigger_ports::store::Entry;

use super::stored::Stored;

pub(super) const TURN: &str = "turn";
pub(super) const STATUS: &str = "status";
pub(super) const LIMITED: &str = "limited";
pub(super) const UNIQUE: &str = "unique";

const QUEUED: u8 = b'q';
const SCHEDULED: u8 = b's';
const RUNNING: u8 = b'r';

fn push_time(out: &mut Vec<u8>, time: Timestamp) {
    out.extend_from_slice(&(time.as_micros().cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

fn timed(letter: u8, time: Timestamp) -> Vec<u8> {
    let mut value = vec![letter];
    push_time(&mut value, time);
    value
}

fn queue_prefix(queue: &str) -> Vec<u8> {
    let mut value = vec![QUEUED];
    value.extend_from_slice(queue.as_bytes());
    value.push(0);
    value
}

fn lane_prefix(queue: &str, kind: &str) -> Vec<u8> {
    let mut value = queue_prefix(queue);
    value.extend_from_slice(kind.as_bytes());
    value.push(0);
    value
}

/// All queued tasks of a queue.
pub(super) fn queue(queue: &str) -> Range {
    starting_with(queue_prefix(queue))
}

/// All queued tasks of a queue and kind, in their order.
pub(super) fn lane(queue: &str, kind: &str) -> Range {
    starting_with(lane_prefix(queue, kind))
}

/// All of the place of a queued task but its time: those of one class are equals.
pub(super) fn class(value: &[u8]) -> &[u8] {
    &value[..value.len().saturating_sub(size_of::<i64>())]
}

/// Where the class of this place ends.
pub(super) fn last_of_class(value: &[u8]) -> Vec<u8> {
    let mut last = class(value).to_vec();
    last.extend([u8::MAX; size_of::<i64>()]);
    last
}

/// All scheduled tasks, in the order of their time.
pub(super) fn scheduled() -> Range {
    starting_with(vec![SCHEDULED])
}

/// The scheduled tasks that are due.
pub(super) fn scheduled_until(now: Timestamp) -> Range {
    (Bound::Included(vec![SCHEDULED]), Bound::Included(timed(SCHEDULED, now)))
}

/// All running tasks, in the order of the ends of their leases.
pub(super) fn running() -> Range {
    starting_with(vec![RUNNING])
}

/// The running tasks whose lease has ended.
pub(super) fn running_until(now: Timestamp) -> Range {
    (Bound::Included(vec![RUNNING]), Bound::Included(timed(RUNNING, now)))
}

/// The letter of a status in the index `status`.
pub(super) fn status(status: Status) -> u8 {
    match status {
        Status::Scheduled => b's',
        Status::Queued | Status::Running => b'a',
        Status::Succeeded => b'o',
        Status::Failed => b'f',
        Status::Cancelled => b'c',
        Status::Dead => b'd',
    }
}

/// The value of a unique key: at most 265 bytes.
pub(super) fn unique(kind: &str, key: &str) -> Vec<u8> {
    let mut value = kind.as_bytes().to_vec();
    value.push(0);
    value.extend_from_slice(key.as_bytes());
    value
}

fn turn(stored: &Stored) -> Option<Vec<u8>> {
    let record = &stored.record;
    match record.status {
        Status::Queued => {
            let mut value = lane_prefix(&record.task.queue, &record.task.kind);
            value.push(limits::TASK_PRIORITY_MAX.saturating_sub(record.task.priority));
            value.push(u8::from(!stored.returned));
            push_time(&mut value, stored.due);
            Some(value)
        }
        Status::Scheduled => Some(timed(SCHEDULED, record.run_at)),
        Status::Running => stored.lease.as_ref().map(|lease| timed(RUNNING, lease.until)),
        _ => None,
    }
}

/// All entries of the task as it is now.
pub(super) fn entries(stored: &Stored) -> Vec<Entry> {
    let plain = |index: &str, value| Entry { index: index.to_owned(), value, unique: false };
    let record = &stored.record;
    let mut entries = Vec::with_capacity(4);
    if let Some(value) = turn(stored) {
        entries.push(plain(TURN, value));
    }
    entries.push(plain(STATUS, vec![status(record.status)]));
    if stored.lease.as_ref().is_some_and(|lease| lease.limited) {
        entries.push(plain(LIMITED, record.task.kind.as_bytes().to_vec()));
    }
    if let Some(key) = record.task.unique_key.as_ref().filter(|_| !record.status.is_final()) {
        let value = unique(&record.task.kind, key);
        entries.push(Entry { index: UNIQUE.to_owned(), value, unique: true });
    }
    entries
}
