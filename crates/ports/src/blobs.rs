//! Files: bytes under a key, too large for a document, read and written piece by piece.
//!
//! 1. **Whole or not at all.** A blob is there when [`BlobWriter::finish`] returns, and then on disk;
//!    before, and when the writer is dropped, nothing of it is seen. One that was there stays until
//!    then, and who reads it reads it to its end.
//! 2. **The last one stays.** Of two who write one key, the one who finishes last is read; never a
//!    mixture.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::{Error, ErrorKind};

use crate::probe::Probed;
use crate::store::Cause;

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;
/// Longest piece that a reader gives, in bytes.
pub const PIECE_BYTES_MAX: usize = 256 * 1024;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The key is none; see [`check_key`].
    #[error("{0}")]
    Key(String),
    /// Whoever keeps the blobs is away; try again.
    #[error("blobs are not available: {0}")]
    Unavailable(#[source] Cause),
    /// There is no room.
    #[error("there is no room for the blob: {0}")]
    Full(#[source] Cause),
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Key(ref what) => Self::new(ErrorKind::Invalid, "invalid_key", what.clone()),
            BlobError::Unavailable(_) => {
                Self::unavailable("blobs_unavailable", "the files are not available")
            }
            BlobError::Full(_) => Self::unavailable("blobs_full", "there is no room for the file"),
        }
        .caused_by(error)
    }
}

/// Lets a key pass: names of `[A-Za-z0-9_.-]` with `/` between them, none beginning with a dot, 1 to
/// [`KEY_BYTES_MAX`] bytes in all.
///
/// # Errors
/// [`BlobError::Key`].
pub fn check_key(key: &str) -> Result<(), BlobError> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && name.bytes().all(letter);
    if key.len() <= KEY_BYTES_MAX && key.split('/').all(is_name) {
        return Ok(());
    }
    Err(BlobError::Key(format!(
        "the key of a file is 1 to {KEY_BYTES_MAX} of A-Z a-z 0-9 _ . - with / between names, none \
         beginning with a dot"
    )))
}

/// Reads a blob from its beginning.
#[async_trait]
pub trait BlobReader: Send + fmt::Debug {
    /// The next piece, of at most [`PIECE_BYTES_MAX`] bytes and never empty; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError>;
}

/// Writes a blob; dropped before its end, it leaves nothing.
#[async_trait]
pub trait BlobWriter: Send + fmt::Debug {
    /// Appends a piece.
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError>;

    /// The blob is complete: it is there from now on. Returns its size in bytes.
    async fn finish(self: Box<Self>) -> Result<u64, BlobError>;
}

/// What somebody else sends to write a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedUpload {
    /// The method of the request.
    pub method: &'static str,
    /// Its URL. Who knows it may write the blob: it is a secret.
    pub url: String,
    /// Headers that it must have: name and value.
    pub headers: Vec<(String, String)>,
}

/// Keeps blobs.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Begins a blob under this key.
    async fn create(&self, key: &str) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Opens the blob; `None` when there is none.
    async fn open(&self, key: &str) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        self.open_range(key, 0..u64::MAX).await
    }

    /// Opens those of its bytes that are in the range, which may reach beyond its end, and not be
    /// empty; `None` when there is no blob.
    async fn open_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn BlobReader>>, BlobError>;

    /// Its size in bytes; `None` when there is none.
    async fn size(&self, key: &str) -> Result<Option<u64>, BlobError>;

    /// Deletes the blob; says whether there was one.
    async fn delete(&self, key: &str) -> Result<bool, BlobError>;

    /// Deletes the blob, and what writers have begun under this key that are no more: killed, or cut
    /// off. One that still writes cannot finish, or its blob is there. Says whether there was something.
    async fn clear(&self, key: &str) -> Result<bool, BlobError> {
        self.delete(key).await
    }

    /// A request with which somebody else may write the blob once, before `valid` is over, if there
    /// is none under this key yet and it has this size, which is looked at afterwards all the same;
    /// `None` when these blobs cannot be reached but through this port.
    async fn sign_upload(
        &self,
        key: &str,
        _size: u64,
        _valid: Duration,
    ) -> Result<Option<SignedUpload>, BlobError> {
        check_key(key)?;
        Ok(None)
    }

    /// Asks the backend something real.
    async fn probe(&self) -> Result<Probed, BlobError>;
}
