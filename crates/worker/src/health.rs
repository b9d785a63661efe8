//! Whether a worker consumes: it says so itself with each round of its loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use outrigger_kernel::{Clock, Timestamp};

/// A worker whose loop has stood still for longer is not well, although its port may answer.
const STILL_MAX: Duration = Duration::from_secs(30);

/// When the loop last went round; shared by the worker and those who ask.
#[derive(Clone, Debug)]
pub struct Health {
    clock: Arc<dyn Clock>,
    last: Arc<AtomicI64>,
}

impl Health {
    /// A worker that begins now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let last = Arc::new(AtomicI64::new(clock.now().as_micros()));
        Self { clock, last }
    }

    /// The loop went round.
    pub(crate) fn went_round(&self) {
        self.last.store(self.clock.now().as_micros(), Ordering::Relaxed);
    }

    /// For how long the loop has stood still.
    pub fn still(&self) -> Duration {
        let last = Timestamp::from_micros(self.last.load(Ordering::Relaxed));
        self.clock.now().since(last)
    }

    /// Whether it consumes, or would if there were something.
    pub fn is_well(&self) -> bool {
        self.still() <= STILL_MAX
    }
}
