//! Whether a worker consumes: it says so itself with each round of its loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use outrigger_kernel::{Clock, Timestamp};

/// A worker whose loop has stood still for longer is not well, although its port may answer. It is
/// asked each second, and has to be known within half a minute.
const STILL_MAX: Duration = Duration::from_secs(25);

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

#[cfg(test)]
mod tests {
    use outrigger_kernel::ManualClock;

    use super::*;

    #[test]
    fn a_worker_that_stands_still_is_found_within_half_a_minute() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let health = Health::new(clock.clone());
        clock.advance(STILL_MAX);
        assert!(health.is_well());
        clock.advance(Duration::from_secs(4));
        assert!(!health.is_well());
        health.went_round();
        assert!(health.is_well());
    }
}
