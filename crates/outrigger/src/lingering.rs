//! Closing a connection so that the client gets the answer, also when it is still sending.
//!
//! Who closes a socket with bytes in it that nobody has read makes the system send a reset, and a
//! reset takes from the client what has arrived but was not read yet: an answer such as 413 that
//! was given before the body had come. So after such an answer this side says that it is done, and
//! throws away what comes, within bounds, until the client is done too.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use outrigger_http::stall::Stall;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::head_timer::Arrival;

/// Most bytes that are thrown away.
const REST_MAX: usize = 4 * 1024 * 1024;
/// Longest time for the rest to come.
const REST_WITHIN: Duration = Duration::from_secs(2);

/// A connection that is closed so.
#[derive(Debug)]
pub(crate) struct Lingering {
    stream: TcpStream,
    arrival: Arrival,
    /// Set when an answer was given before its request was read.
    unread: Arc<AtomicBool>,
    stall: Stall,
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl Lingering {
    pub(crate) fn new(
        stream: TcpStream,
        arrival: Arrival,
        unread: Arc<AtomicBool>,
        stall: Stall,
    ) -> Self {
        Self { stream, arrival, unread, stall, rest: None }
    }

    /// Gives up a client that does not take its answer.
    fn watch(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = self.stall.watch(written, context);
        if matches!(&written, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::TimedOut) {
            // With it goes what the system still keeps for this client.
            let _ = self.stream.set_zero_linger();
        }
        written
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Rest {
    /// Ready when the client is done, or was given enough.
    fn poll_gone(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 16 * 1024];
        while self.left > 0 {
            if self.end.as_mut().poll(context).is_ready() {
                break;
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.left = self.left.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.as_mut().stream().poll_read(context, buffer);
        if read.is_ready() {
            self.arrival.note();
        }
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // All that there was is written.
        self.stall.end();
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let rest = this
            .rest
            .get_or_insert_with(|| Rest { left: REST_MAX, end: Box::pin(sleep(REST_WITHIN)) });
        rest.poll_gone(&mut this.stream, context).map(Ok)
    }
}
