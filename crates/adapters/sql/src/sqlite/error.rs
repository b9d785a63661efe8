//! What SQLite said, as a store's error.

use outrigger_ports::store::StoreError;
use rusqlite::{Error, ErrorCode};

use crate::fault::Fault;

/// An error of a read, or of a write before its commit: nothing was changed.
pub(super) fn of(error: &Error) -> StoreError {
    let cause = Fault::cause(Fault::of(error).0);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(cause),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Unavailable(cause),
        Some(ErrorCode::Unknown) if error.to_string().contains("no such table") => {
            StoreError::Schema("it has no tables yet; run `outrigger migrate apply`".to_owned())
        }
        _ => StoreError::Internal(cause),
    }
}

/// An error of the commit itself. When the disk failed while it was written, what a restart finds
/// there is not known.
pub(super) fn of_commit(error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => {
            StoreError::OutcomeUnknown(Fault::cause(Fault::of(error).0))
        }
        _ => of(error),
    }
}
