//! Reads the records that scripts return.

use outrigger_kernel::Timestamp;
use outrigger_ports::queue::{Attempt, Failure, Status, Task, TaskRecord};
use redis::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::CallError;

/// Positions in what `shown` of `queue_common.lua` returns: id and body, then those of the record.
const BODY: usize = 1;
const STATUS: usize = 2;
const ATTEMPTS: usize = 8;
const CRASHES: usize = 9;
const RUN_AT: usize = 10;
const STARTED: usize = 14;
const FINISHED: usize = 15;
const CANCEL: usize = 16;
const PROGRESS: usize = 20;
const RESULT: usize = 21;
const ERROR: usize = 22;
const HISTORY: usize = 23;
const LENGTH: usize = 24;

/// Each status and its letter in the scripts.
pub(super) const LETTERS: [(Status, &str); 7] = [
    (Status::Scheduled, "s"),
    (Status::Queued, "q"),
    (Status::Running, "r"),
    (Status::Succeeded, "o"),
    (Status::Failed, "f"),
    (Status::Cancelled, "c"),
    (Status::Dead, "d"),
];

pub(super) fn letter(status: Status) -> &'static str {
    LETTERS.iter().find(|(other, _)| *other == status).map_or("", |(_, letter)| letter)
}

/// An attempt as the scripts write it.
#[derive(Deserialize)]
struct Line {
    number: u32,
    worker: String,
    started_at: i64,
    ended_at: i64,
    error: Failure,
}

/// The record in a script's answer.
///
/// # Errors
/// [`CallError::Unexpected`] when it is none.
pub(super) fn read(value: Value) -> Result<TaskRecord, CallError> {
    let Value::Array(fields) = value else { return Err(CallError::Unexpected) };
    parse(&fields).ok_or(CallError::Unexpected)
}

fn parse(fields: &[Value]) -> Option<TaskRecord> {
    if fields.len() != LENGTH {
        return None;
    }
    let task: Task = serde_json::from_slice(bytes(&fields[BODY])?).ok()?;
    let letter = text(&fields[STATUS])?;
    let status = LETTERS.iter().find(|(_, other)| *other == letter)?.0;
    let instant = |at: usize| match number(&fields[at])? {
        0 => None,
        micros => Some(Timestamp::from_micros(micros)),
    };
    let history = text(&fields[HISTORY])?.lines().map(attempt).collect::<Option<Vec<_>>>()?;
    let error = match text(&fields[ERROR])? {
        "" => None,
        error => Some(serde_json::from_str(error).ok()?),
    };
    Some(TaskRecord {
        task,
        status,
        attempts: number(&fields[ATTEMPTS])?.try_into().ok()?,
        crashes: number(&fields[CRASHES])?.try_into().ok()?,
        run_at: Timestamp::from_micros(number(&fields[RUN_AT])?),
        progress: json(&fields[PROGRESS]).ok()?,
        result: json(&fields[RESULT]).ok()?,
        error,
        started_at: instant(STARTED),
        finished_at: instant(FINISHED),
        history,
        cancel_requested: number(&fields[CANCEL])? == 1,
    })
}

fn attempt(line: &str) -> Option<Attempt> {
    let Line { number, worker, started_at, ended_at, error } = serde_json::from_str(line).ok()?;
    Some(Attempt {
        number,
        worker,
        started_at: Timestamp::from_micros(started_at),
        ended_at: Timestamp::from_micros(ended_at),
        error,
    })
}

fn json(value: &Value) -> Result<Option<Box<RawValue>>, CallError> {
    match text(value).ok_or(CallError::Unexpected)? {
        "" => Ok(None),
        json => match RawValue::from_string(json.to_owned()) {
            Ok(json) => Ok(Some(json)),
            Err(_) => Err(CallError::Unexpected),
        },
    }
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<&str> {
    std::str::from_utf8(bytes(value)?).ok()
}

pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
