//! What can go wrong with a store.

use outrigger_kernel::{Error, ErrorKind};

/// A driver's error and what caused it, joined by colons, as one line for logs.
pub fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let part = cause.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = cause.source();
    }
    text
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A precondition does not hold. Nothing was changed.
    #[error("the precondition of write {write} does not hold")]
    Precondition {
        /// The position of the write in the batch.
        write: usize,
        /// The version that is there, if a document is.
        found: Option<u64>,
    },
    /// Another document (or an earlier write of the batch) has this value in a unique index.
    /// Nothing was changed.
    #[error("the value of unique index {index} of write {write} is taken")]
    Unique {
        /// The position of the write in the batch.
        write: usize,
        /// The name of the index.
        index: String,
    },
    /// Over a portable bound. Nothing was changed.
    #[error("write {write}: {what}")]
    Bound {
        /// The position of the write in the batch.
        write: usize,
        /// Which bound.
        what: String,
    },
    /// The database is away, busy or shutting down. Nothing was changed; try again.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Cause),
    /// The database did not answer in time. Nothing was changed; try again.
    #[error("the database did not answer in time")]
    Timeout,
    /// The disk or quota of the database is full. Nothing was changed; reads go on.
    #[error("the database is full: {0}")]
    Full(#[source] Cause),
    /// The connection broke between sending a commit and its answer.
    #[error("the outcome of the commit is not known: {0}")]
    OutcomeUnknown(#[source] Cause),
    /// The schema of the store is older or newer than this binary needs.
    #[error("the schema of the database does not fit: {0}")]
    Schema(String),
    /// A fault of the adapter's own.
    #[error("the store failed: {0}")]
    Internal(#[source] Cause),
}

/// The driver's error behind a [`StoreError`]; for logs.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// Whether the same call may succeed a little later, and surely changed nothing now.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout)
    }

    /// The same error for another one who waited for the call that failed; its cause is text.
    #[must_use]
    pub fn repeated(&self) -> Self {
        let text = |cause: &Cause| Cause::from(cause.to_string());
        match self {
            Self::Precondition { write, found } => {
                Self::Precondition { write: *write, found: *found }
            }
            Self::Unique { write, index } => Self::Unique { write: *write, index: index.clone() },
            Self::Bound { write, what } => Self::Bound { write: *write, what: what.clone() },
            Self::Unavailable(cause) => Self::Unavailable(text(cause)),
            Self::Timeout => Self::Timeout,
            Self::Full(cause) => Self::Full(text(cause)),
            Self::OutcomeUnknown(cause) => Self::OutcomeUnknown(text(cause)),
            Self::Schema(what) => Self::Schema(what.clone()),
            Self::Internal(cause) => Self::Internal(text(cause)),
        }
    }
}

impl From<StoreError> for Error {
    /// How a store's error looks to a client when no rule has taken it for its own.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Precondition { .. } => Self::conflict(
                "concurrent_change",
                "the thing was changed at the same time by somebody else",
            ),
            StoreError::Unique { ref index, .. } => {
                Self::conflict("not_unique", format!("another one has the same value of {index}"))
            }
            StoreError::Bound { ref what, .. } => {
                Self::new(ErrorKind::TooLarge, "too_large", what.clone())
            }
            StoreError::Unavailable(_) | StoreError::Timeout => {
                Self::unavailable("database_unavailable", "the database is not available")
            }
            StoreError::Full(_) => {
                Self::unavailable("database_full", "the database has no room for a write")
            }
            StoreError::OutcomeUnknown(_) => Self::new(
                ErrorKind::OutcomeUnknown,
                "outcome_unknown",
                "the connection to the database broke during the write; it may have taken effect",
            ),
            StoreError::Schema(ref what) => Self::unavailable(
                "database_schema",
                format!("the database needs a migration: {what}"),
            ),
            StoreError::Internal(_) => return Self::internal(error),
        }
        .caused_by(error)
    }
}
