//! Reads an object in pieces of the port's size.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use outrigger_ports::blobs::{BlobError, BlobReader, PIECE_BYTES_MAX};

use crate::error::fault;

/// A server that sends nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What is still to be read.
pub(crate) struct Reader {
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    rest: Bytes,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// Of what a server sends; of nothing without.
    pub(crate) fn of(stream: Option<BoxStream<'static, object_store::Result<Bytes>>>) -> Self {
        Self { stream, rest: Bytes::new() }
    }
}

#[async_trait]
impl BlobReader for Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while self.rest.is_empty() {
            let Some(stream) = &mut self.stream else { return Ok(None) };
            let next = tokio::time::timeout(SILENCE_MAX, stream.next()).await;
            match next.map_err(|late| BlobError::Unavailable(late.into()))? {
                Some(piece) => self.rest = piece.map_err(fault)?,
                None => self.stream = None,
            }
        }
        Ok(Some(self.rest.split_to(self.rest.len().min(PIECE_BYTES_MAX))))
    }
}
