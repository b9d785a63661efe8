//! The body of an upload: not bounded in time as a whole, but each piece must come in time, and all of
//! them at a rate.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use http::Extensions;
use outrigger_kernel::{Error, ErrorKind, Result};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::request_info::RequestInfo;
use crate::transfers::Pace;

/// A client that sends nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Pieces of a body, none of them empty.
pub(crate) struct Pieces {
    body: BodyDataStream,
    pace: Pace,
    /// Since when a piece is waited for.
    since: Option<Instant>,
    silence: Pin<Box<Sleep>>,
}

impl Pieces {
    /// Takes the time limit off the request, and its place among the others: who sends, is waited for.
    pub(crate) fn of(body: Body, extensions: &Extensions, pace: Pace) -> Self {
        if let Some(info) = extensions.get::<Arc<RequestInfo>>() {
            let _ = info.unhurried.set(());
        }
        let silence = Box::pin(sleep_until(Instant::now()));
        Self { body: body.into_data_stream(), pace, since: None, silence }
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes>>> {
        loop {
            let Poll::Ready(piece) = Pin::new(&mut self.body).poll_next(context) else {
                if self.since.is_none() {
                    let now = Instant::now();
                    self.since = Some(now);
                    self.silence.as_mut().reset(now + SILENCE_MAX);
                }
                ready!(self.silence.as_mut().poll(context));
                let message = "the rest of the body did not arrive in time";
                let error = Error::new(ErrorKind::RequestTimeout, "request_timeout", message);
                return Poll::Ready(Some(Err(error)));
            };
            let waited = self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            let came = piece.as_ref().and_then(|piece| piece.as_ref().ok()).map_or(0, Bytes::len);
            if let Err(error) = self.pace.count(came, waited) {
                return Poll::Ready(Some(Err(error)));
            }
            return Poll::Ready(match piece {
                Some(Ok(piece)) if piece.is_empty() => continue,
                Some(Ok(piece)) => Some(Ok(piece)),
                Some(Err(error)) => {
                    let message = "the body ended too early";
                    Some(Err(Error::bad_request("incomplete_body", message).caused_by(error)))
                }
                None => None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;

    use super::*;
    use crate::transfers::{TransferBounds, Transfers};

    /// What comes of pieces of these sizes, each after so many seconds: bytes, and the error at the end.
    async fn taken(pieces: Vec<(usize, u64)>) -> (usize, Option<Error>) {
        let came = stream::iter(pieces).then(|(size, after_s)| async move {
            sleep(Duration::from_secs(after_s)).await;
            Ok::<_, Error>(Bytes::from(vec![b'x'; size]))
        });
        let bounds = TransferBounds { uploads_max: 1, downloads_max: 1, bytes_per_s_min: 100 };
        let pace = Transfers::new(bounds).pace();
        let mut pieces = Pieces::of(Body::from_stream(came), &Extensions::new(), pace);
        let mut bytes = 0;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => bytes += piece.len(),
                Err(error) => return (bytes, Some(error)),
            }
            // What the server itself needs is not the client's silence.
            sleep(SILENCE_MAX * 3).await;
        }
        (bytes, None)
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_or_too_little_is_given_up() {
        for (pieces, bytes, code) in [
            (vec![(3_000, 29); 10], 30_000, None),
            (vec![(10, 1), (10, 31), (10, 1)], 10, Some("request_timeout")),
            (vec![(0, 20), (0, 20), (10, 1)], 10, None),
            (vec![(1, 29); 10], 2, Some("too_slow")),
            (
                vec![(1, 0), (1, 0), (9_000, 29), (1, 29), (1, 29), (1, 29), (1, 29), (1, 29)],
                9_006,
                Some("too_slow"),
            ),
        ] {
            let (taken, error) = taken(pieces.clone()).await;
            assert_eq!(error.as_ref().map(Error::code), code, "{pieces:?}");
            assert_eq!(taken, bytes, "{pieces:?}");
            assert!(error.is_none_or(|error| error.kind() == ErrorKind::RequestTimeout));
        }
    }
}
