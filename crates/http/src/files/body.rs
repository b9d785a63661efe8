//! The body of an upload: not bounded in time as a whole, but each piece must come in time.

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

/// A client that sends nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Pieces of a body, none of them empty.
pub(crate) struct Pieces {
    body: BodyDataStream,
    silence: Pin<Box<Sleep>>,
}

impl Pieces {
    /// Takes the time limit off the request: who sends, is waited for.
    pub(crate) fn of(body: Body, extensions: &Extensions) -> Self {
        if let Some(info) = extensions.get::<Arc<RequestInfo>>() {
            let _ = info.unhurried.set(());
        }
        let end = Instant::now() + SILENCE_MAX;
        Self { body: body.into_data_stream(), silence: Box::pin(sleep_until(end)) }
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
                ready!(self.silence.as_mut().poll(context));
                let message = "the rest of the body did not arrive in time";
                let error = Error::new(ErrorKind::RequestTimeout, "request_timeout", message);
                return Poll::Ready(Some(Err(error)));
            };
            let end = Instant::now() + SILENCE_MAX;
            self.silence.as_mut().reset(end);
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
