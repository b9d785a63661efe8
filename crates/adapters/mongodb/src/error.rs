//! What MongoDB said, or that it said nothing.

use mongodb::error::{
    Error, ErrorKind, NO_WRITES_PERFORMED, SYSTEM_OVERLOADED_ERROR, TRANSIENT_TRANSACTION_ERROR,
    UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};
use outrigger_ports::store::{Cause, StoreError};

/// Two documents would have the same `_id` or unique value.
const DUPLICATE_KEY: i32 = 11_000;
/// Codes of refusals: somebody may be about to change that.
const REFUSED: [i32; 4] = [13, 18, 31, 8_000];
/// Codes of a document or message that is too large.
const TOO_LARGE: [i32; 3] = [10_334, 17_280, 17_420];
/// Codes of a full disk, or of a quota that is used up.
const FULL: [i32; 2] = [14_031, 28_753];
/// Codes of something that took too long and was given up before it did anything.
const TOO_LATE: [i32; 2] = [50, 262];
/// Another write is at the same documents.
const WRITE_CONFLICT: i32 = 112;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is nobody; the request was not sent, or not begun.
    Away(Cause),
    /// Who signed in was refused, so nothing was sent: the password may have changed.
    Refused(Cause),
    /// It was sent, and no answer came, or none that says what became of it.
    Silent(Cause),
    /// It was sent, and no answer came in time.
    Late,
    /// Another one is at the same documents; nothing was done.
    Conflict(Cause),
    /// Another document has the `_id` or a unique value; nothing was done.
    Taken,
    /// As it stands; nothing was done.
    Final(StoreError),
}

impl Failure {
    /// What the driver's error means.
    pub(crate) fn of(error: &Error) -> Self {
        let text = words(error);
        let cause = || Cause::from(text.as_str());
        let has = |label| error.contains_label(label);
        if code(error) == Some(DUPLICATE_KEY) {
            return Self::Taken;
        }
        if has(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
            return Self::Silent(cause());
        }
        if has(TRANSIENT_TRANSACTION_ERROR) || code(error) == Some(WRITE_CONFLICT) {
            return Self::Conflict(cause());
        }
        // A connection that could not be made: the driver gives an error of this kind only when no
        // earlier try was sent.
        if has(SYSTEM_OVERLOADED_ERROR) || has(NO_WRITES_PERFORMED) {
            return Self::Away(cause());
        }
        match &*error.kind {
            ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. } => Self::Away(cause()),
            ErrorKind::Authentication { .. } => Self::Refused(cause()),
            ErrorKind::Command(said) => of_code(said.code, &text),
            ErrorKind::Write(WriteFailure::WriteError(said)) => of_code(said.code, &text),
            ErrorKind::Io(_)
            | ErrorKind::InvalidResponse { .. }
            // It is written, but not by a majority in time: a new primary may not have it.
            | ErrorKind::Write(_)
            | ErrorKind::Shutdown => Self::Silent(cause()),
            ErrorKind::IncompatibleServer { .. } | ErrorKind::SessionsNotSupported => {
                Self::Final(StoreError::Schema(text))
            }
            ErrorKind::InvalidTlsConfig { .. } => Self::Final(StoreError::Unavailable(cause())),
            _ => Self::Final(StoreError::Internal(cause())),
        }
    }

    /// As a store's error, when it is not tried again.
    pub(crate) fn into_error(self, is_write: bool) -> StoreError {
        match self {
            Self::Silent(cause) if is_write => StoreError::OutcomeUnknown(cause),
            Self::Away(cause)
            | Self::Refused(cause)
            | Self::Conflict(cause)
            | Self::Silent(cause) => StoreError::Unavailable(cause),
            Self::Late if is_write => StoreError::OutcomeUnknown("no answer in time".into()),
            Self::Late => StoreError::Timeout,
            Self::Taken => StoreError::Unavailable("others change the same documents".into()),
            Self::Final(error) => error,
        }
    }

    /// The word of the metric for trying again, if that may help.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Away(_) | Self::Silent(_) => Some(Reason::Connection),
            Self::Refused(_) => Some(Reason::Refused),
            Self::Conflict(_) | Self::Taken => Some(Reason::Conflict),
            Self::Late | Self::Final(_) => None,
        }
    }
}

/// Why something is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Conflict,
    Connection,
    Refused,
}

/// What a server that answered means by its code.
pub(crate) fn of_code(code: i32, text: &str) -> Failure {
    let cause = || Cause::from(text);
    match code {
        DUPLICATE_KEY => Failure::Taken,
        WRITE_CONFLICT => Failure::Conflict(cause()),
        code if REFUSED.contains(&code) => Failure::Final(StoreError::Unavailable(cause())),
        code if FULL.contains(&code) => Failure::Final(StoreError::Full(cause())),
        code if TOO_LATE.contains(&code) => Failure::Late,
        code if TOO_LARGE.contains(&code) => {
            Failure::Final(StoreError::Bound { write: 0, what: text.to_owned() })
        }
        // A primary that steps down or ends, a connection that is closed: the driver has tried once
        // more already, and what became of the first try is not known. Or a read whose cursor was lost, or
        // of a server that has nothing yet which a majority has, as right after an election.
        6 | 7 | 43 | 64 | 89 | 91 | 134 | 189 | 237 | 239 | 246 | 9_001 | 10_058 | 10_107
        | 11_600 | 11_602 | 13_435 | 13_436 => Failure::Silent(cause()),
        _ => Failure::Final(StoreError::Internal(cause())),
    }
}

fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(said) => Some(said.code),
        ErrorKind::Write(WriteFailure::WriteError(said)) => Some(said.code),
        _ => None,
    }
}

/// The driver's error for a log: without the server's whole answer, in which values may stand.
pub(crate) fn words(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Command(said) => format!("{} ({}): {}", said.code_name, said.code, said.message),
        kind => kind.to_string(),
    }
}
