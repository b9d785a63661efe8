//! Claims whose answer did not arrive: they may have leased tasks that nobody knows of. The next claim
//! gives these back, so that no attempt and no crash is counted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use outrigger_ports::queue::{Lease, Outcome, Queue as _, QueueError, Settlement};

use super::record::text;
use super::scripts::Args;
use super::{RedisQueue, array};
use crate::error::CallError;

/// So many claims are remembered; the leases of older ones run out.
const KEPT: usize = 16;

/// The marks of such claims.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<Vec<String>>);

/// A claim that was sent.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    lost: &'a Lost,
    mark: Option<String>,
}

impl Lost {
    fn marks(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the claim unless it is told that the answer has arrived, also when the caller is
    /// dropped.
    pub(super) fn unless_answered(&self, mark: String) -> Asked<'_> {
        Asked { lost: self, mark: Some(mark) }
    }
}

impl Asked<'_> {
    /// The answer is there.
    pub(super) fn answered(mut self) {
        self.mark = None;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(mark) = self.mark.take() {
            let mut marks = self.lost.marks();
            if marks.len() < KEPT {
                marks.push(mark);
            }
        }
    }
}

impl RedisQueue {
    /// Gives back what claims have leased whose answer did not arrive.
    pub(super) async fn give_back_lost(&self) -> Result<(), QueueError> {
        loop {
            let Some(mark) = self.lost.marks().last().cloned() else { return Ok(()) };
            let mut args = Args::default();
            args.text(&mark);
            let found = array(self.run(&self.scripts.lost, &args).await?)?;
            let lease = |of: &[redis::Value]| {
                let part = |at: usize| of.get(at).and_then(text).map(ToOwned::to_owned);
                Some(Lease { task_id: part(0)?, token: part(1)? })
            };
            let leases = found.chunks(2).map(|of| lease(of).ok_or(CallError::Unexpected));
            let released = leases.map(|lease| {
                Ok::<_, CallError>(Settlement { lease: lease?, outcome: Outcome::Released })
            });
            self.settle(released.collect::<Result<_, _>>()?).await?;
            self.lost.marks().retain(|known| *known != mark);
        }
    }
}
