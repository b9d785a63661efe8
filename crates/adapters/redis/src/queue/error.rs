//! What goes wrong with the queue.

use outrigger_ports::queue::QueueError;
use redis::{RedisError, ServerErrorKind};

use crate::error::CallError;

/// Server errors that mean "not now"; nothing was done.
const BUSY: [&str; 7] =
    ["LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS"];

impl From<CallError> for QueueError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Away => Self::Unavailable(Box::new(error)),
            CallError::Unexpected => Self::Internal(Box::new(error)),
            CallError::Failed(redis) if is_full(redis) => Self::Full(Box::new(error)),
            CallError::Failed(redis) if is_busy(redis) => Self::Unavailable(Box::new(error)),
            // The server answered, and its answer was an error.
            CallError::Failed(redis) if redis.code().is_some() => Self::Internal(Box::new(error)),
            CallError::Failed(_) => Self::OutcomeUnknown(Box::new(error)),
        }
    }
}

/// Redis 6 wraps the error of a command in one of the script.
fn is_full(error: &RedisError) -> bool {
    error.code() == Some("OOM") || error.to_string().contains("-OOM ")
}

fn is_busy(error: &RedisError) -> bool {
    let busy = |code| BUSY.contains(&code) || code == "MISCONF";
    error.code().is_some_and(busy)
        || error.kind() == redis::ErrorKind::Server(ServerErrorKind::ReadOnly)
}
