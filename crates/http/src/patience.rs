//! The bound on the time of a request: one timer for all requests of a connection.
//!
//! A timer of its own for each request would be set and taken back a hundred thousand times a
//! second, and go off hardly ever. So the timer of a connection stands where the first request has
//! put it; when it goes off, it is put to the end of the request that is served by then.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long the requests of one connection may take; they are served one after the other.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    timer: Mutex<Option<Pin<Box<Sleep>>>>,
}

impl Patience {
    /// Each request may take `limit`.
    pub fn new(limit: Duration) -> Self {
        Self { limit, timer: Mutex::default() }
    }

    /// What the future gives, or `None` when it takes too long and is not `unhurried` by then.
    pub(crate) async fn within<F: Future>(
        &self,
        future: F,
        unhurried: impl Fn() -> bool,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut end = None;
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            let end = *end.get_or_insert_with(|| Instant::now() + self.limit);
            match self.poll_end(end, context) {
                Poll::Ready(()) if !unhurried() => Poll::Ready(None),
                // From the end on only the future itself wakes.
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// Ready from `end` on.
    fn poll_end(&self, end: Instant, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= end {
                return Poll::Ready(());
            }
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn each_request_has_the_whole_time_and_no_more() {
        let patience = Patience::new(Duration::from_secs(30));
        let started = Instant::now();
        let hurried = || false;
        for _ in 0..3 {
            let quick = patience.within(sleep(Duration::from_secs(29)), hurried).await;
            assert!(quick.is_some());
        }
        assert_eq!(patience.within(sleep(Duration::from_secs(31)), hurried).await, None);
        assert_eq!(started.elapsed().as_secs(), 3 * 29 + 30);
        assert!(patience.within(sleep(Duration::from_secs(29)), hurried).await.is_some());
        assert_eq!(patience.within(std::future::ready(7), hurried).await, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_unhurried_takes_as_long_as_it_takes_and_the_next_does_not() {
        let patience = Patience::new(Duration::from_secs(30));
        assert!(patience.within(sleep(Duration::from_secs(3_000)), || true).await.is_some());
        assert_eq!(patience.within(sleep(Duration::from_secs(31)), || false).await, None);
    }
}
