//! Why an archive is not made or not taken.

use outrigger_ports::blobs::BlobError;
use outrigger_ports::store::StoreError;

/// What went wrong, where.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file, standard input or output.
    #[error("{place}: {source}")]
    Io {
        /// Which one.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// The blobs.
    #[error("the archive in blobs: {0}")]
    Blobs(#[from] BlobError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is no archive, or not a whole one.
    #[error("line {line} of the archive: {what}")]
    Format {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// It will not be done, for a reason that somebody can change.
    #[error("{0}")]
    Refused(String),
    /// What was written is not what is there.
    #[error("{0}")]
    Differs(String),
}

impl ArchiveError {
    /// An error of a file.
    pub(crate) fn io(place: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.into();
        move |source| Self::Io { place, source }
    }
}
