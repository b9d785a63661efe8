//! How long a connection waits for a request: long while nothing comes, briefly from its first byte on.
//!
//! hyper has one bound for both, from when it could read a head until it has read one, and takes the
//! time from a timer that it is given. This one's sleeps last as long as a connection may be idle, and
//! end sooner once a byte has come.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Whether a byte has come since the connection began to wait for a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival(Arc<AtomicBool>);

impl Arrival {
    /// Notes that bytes were read.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The timer of one connection.
#[derive(Debug)]
pub(crate) struct HeadTimer {
    /// Noted by the connection's stream.
    pub(crate) arrival: Arrival,
    /// Longest time from the first byte of a request to the end of its head.
    pub(crate) header_timeout: Duration,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.arrival.0.store(false, Ordering::Relaxed);
        Box::pin(Waiting {
            end: Box::pin(tokio::time::sleep_until(deadline.into())),
            arrival: self.arrival.clone(),
            header_timeout: Some(self.header_timeout),
        })
    }
}

/// The wait for one request.
struct Waiting {
    end: Pin<Box<tokio::time::Sleep>>,
    arrival: Arrival,
    /// Taken when the first byte has come.
    header_timeout: Option<Duration>,
}

impl Sleep for Waiting {}

impl Future for Waiting {
    type Output = ();

    /// hyper asks whenever it has read what there was and lacks the end of the head.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.arrival.0.load(Ordering::Relaxed)
            && let Some(within) = self.header_timeout.take()
        {
            self.end.as_mut().reset(tokio::time::Instant::now() + within);
        }
        self.end.as_mut().poll(context)
    }
}
