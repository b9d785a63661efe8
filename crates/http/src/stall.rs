//! How long an answer waits for a client that does not take it.
//!
//! What is watched is writing, not time: an answer that has nothing to say, as a stream of events, may be
//! silent for as long as it likes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// A client that was waited for has gone on when it has taken so many bytes, or all that there were.
const TAKEN_MIN: usize = 16 * 1024;

/// Watches the writes of one connection.
#[derive(Debug)]
pub struct Stall {
    timeout: Duration,
    wait: Option<Wait>,
}

/// Bytes wait for the client.
#[derive(Debug)]
struct Wait {
    end: Pin<Box<Sleep>>,
    taken: usize,
}

impl Stall {
    /// A client must go on within `timeout`.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, wait: None }
    }

    /// What a write gave; an error when the client has not gone on in time.
    pub fn watch(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written
            && let Some(wait) = &mut self.wait
        {
            wait.taken += bytes;
            if wait.taken >= TAKEN_MIN {
                self.wait = None;
            }
        }
        if written.is_ready() {
            return written;
        }
        let timeout = self.timeout;
        let begin = || Wait { end: Box::pin(sleep(timeout)), taken: 0 };
        ready!(self.wait.get_or_insert_with(begin).end.as_mut().poll(context));
        let message = "the client does not take its answer";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
    }

    /// Nothing waits any more.
    pub fn end(&mut self) {
        self.wait = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    async fn look(stall: &mut Stall, bytes: Option<usize>) -> Poll<io::Result<usize>> {
        let written = bytes.map_or(Poll::Pending, |bytes| Poll::Ready(Ok(bytes)));
        let mut written = Some(written);
        poll_fn(|context| {
            let written = written.take().unwrap_or(Poll::Pending);
            Poll::Ready(stall.watch(written, context))
        })
        .await
    }

    fn is_given_up(look: &Poll<io::Result<usize>>) -> bool {
        matches!(look, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_or_next_to_nothing_is_given_up() {
        for taken in [0, 1, TAKEN_MIN / 8] {
            let mut stall = Stall::new(Duration::from_secs(60));
            for _ in 0..6 {
                assert!(look(&mut stall, None).await.is_pending());
                advance(Duration::from_secs(10)).await;
                if taken > 0 {
                    assert!(look(&mut stall, Some(taken)).await.is_ready());
                }
            }
            assert!(is_given_up(&look(&mut stall, None).await), "{taken}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_is_waited_for_again_and_silence_is_no_stall() {
        let mut stall = Stall::new(Duration::from_secs(60));
        for _ in 0..5 {
            assert!(look(&mut stall, None).await.is_pending());
            advance(Duration::from_secs(59)).await;
            assert!(look(&mut stall, Some(TAKEN_MIN)).await.is_ready());
        }
        for _ in 0..5 {
            assert!(look(&mut stall, None).await.is_pending());
            advance(Duration::from_secs(59)).await;
            assert!(look(&mut stall, Some(1)).await.is_ready());
            stall.end();
            advance(Duration::from_secs(3_600)).await;
        }
        assert!(look(&mut stall, None).await.is_pending());
    }
}
