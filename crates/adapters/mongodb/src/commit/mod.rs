//! Commits a batch: one write as one operation, several as a transaction.

mod check;
mod plan;
mod single;
mod state;
mod transact;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, StoreError};

use crate::link::{Budget, Link};

/// A commit under way.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    link: &'a Link,
    now: Timestamp,
    budget: Budget,
}

impl<'a> Commit<'a> {
    /// One that begins now.
    pub(crate) fn new(link: &'a Link, now: Timestamp) -> Self {
        Self { link, now, budget: link.budget() }
    }

    /// Commits the batch; the versions afterwards.
    ///
    /// # Errors
    /// As [`outrigger_ports::store::Store::commit`].
    pub(crate) async fn run(mut self, batch: &Batch) -> Result<Vec<u64>, StoreError> {
        match batch.writes.as_slice() {
            [] => Ok(Vec::new()),
            [write] => self.single(batch, write).await,
            _ => self.transaction(batch).await,
        }
    }
}
