//! The body of a request, and whether all of it has been read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::request_info::RequestInfo;

/// Notes in the request's info when the body has ended.
#[derive(Debug)]
pub(crate) struct WatchedBody {
    inner: Body,
    info: Arc<RequestInfo>,
}

impl WatchedBody {
    /// Watches `body`; one that is empty has ended already.
    pub(crate) fn around<B>(body: B, info: &Arc<RequestInfo>) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        if body.is_end_stream() {
            let _ = info.body_read.set(());
            return Body::empty();
        }
        Body::new(Self { inner: Body::new(body), info: info.clone() })
    }

    fn note(&self) {
        if self.inner.is_end_stream() {
            let _ = self.info.body_read.set(());
        }
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            None => _ = self.info.body_read.set(()),
            Some(Ok(_)) => self.note(),
            Some(Err(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
