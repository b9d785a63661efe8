//! Tries of a read-modify-write that spans several documents.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Error, Random, random};

const TRIES_MAX: u32 = 8;

/// Counts tries and waits a little longer, with jitter, before each new one.
#[derive(Debug)]
pub(crate) struct Retry {
    random: Arc<dyn Random>,
    tries: u32,
}

impl Retry {
    /// No try yet.
    pub(crate) fn new(random: &Arc<dyn Random>) -> Self {
        Self { random: random.clone(), tries: 0 }
    }

    /// Waits before the next try, when `error` says that somebody else was quicker and not too
    /// many were made.
    ///
    /// # Errors
    /// The same error, when it is another one or enough tries were made.
    pub(crate) async fn again(&mut self, error: Error) -> Result<(), Error> {
        if error.code() != "concurrent_change" || self.tries == TRIES_MAX {
            return Err(error);
        }
        self.tries += 1;
        let micros = random::below(&*self.random, 1_000 << self.tries);
        tokio::time::sleep(Duration::from_micros(micros)).await;
        Ok(())
    }
}
