//! The body of a download.

use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use outrigger_domain::files::Content;
use outrigger_kernel::{Error, Result};
use tokio::time::Instant;

use crate::transfers::{Pace, Place};

/// What is still to be sent.
struct Download {
    content: Content,
    left: u64,
    pace: Pace,
    /// The last piece: its size, and when it was given.
    given: Option<(usize, Instant)>,
    _place: Option<Place>,
}

/// Ends early, and with it the connection, when the bytes cannot be read on, or are taken too slowly.
pub(super) fn stream(
    content: Content,
    wanted: &Range<u64>,
    pace: Pace,
    place: Option<Place>,
) -> Body {
    let left = wanted.end - wanted.start;
    let download = Download { content, left, pace, given: None, _place: place };
    Body::from_stream(stream::try_unfold(download, |mut download| async move {
        let piece = download.next().await?;
        Ok::<_, Error>(piece.map(|piece| (piece, download)))
    }))
}

impl Download {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some((bytes, at)) = self.given.take() {
            // The next is asked for when the client has taken about as much.
            self.pace.count(bytes, at.elapsed()).inspect_err(|error| {
                tracing::debug!("a download was ended: {error}");
            })?;
        }
        let read = match self.content.next().await {
            Ok(None) if self.left > 0 => Err(Error::internal("the blob is shorter than its file")),
            read => read,
        };
        let piece = read.inspect_err(|error| {
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(source, "a download was cut off: {error}");
        })?;
        if let Some(piece) = &piece {
            self.left = self.left.saturating_sub(piece.len() as u64);
            self.given = Some((piece.len(), Instant::now()));
        }
        Ok(piece)
    }
}
