//! A store's error as the queue's.

use outrigger_ports::queue::QueueError;
use outrigger_ports::store::StoreError;

/// What it means for the queue.
pub(super) fn of(error: StoreError) -> QueueError {
    match error {
        StoreError::Unavailable(cause) => QueueError::Unavailable(cause),
        StoreError::OutcomeUnknown(cause) => QueueError::OutcomeUnknown(cause),
        StoreError::Full(cause) => QueueError::Full(cause),
        error @ (StoreError::Timeout | StoreError::Schema(_)) => {
            QueueError::Unavailable(error.into())
        }
        error => QueueError::Internal(error.into()),
    }
}

/// The same when some of what was asked has happened.
pub(super) fn after_a_part(error: QueueError) -> QueueError {
    match error {
        QueueError::Bound(_) | QueueError::OutcomeUnknown(_) => error,
        error => QueueError::OutcomeUnknown(error.into()),
    }
}
