//! Tasks whose next lost worker would be their last: one at a time, so that whichever of them kills its
//! worker takes none of the others with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use outrigger_kernel::limits::TASK_CRASHES_MAX;
use outrigger_ports::queue::{Leased, Outcome, Settlement, TaskBoard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Inner;

/// One more crash than this, and the task is dead.
const LAST_CHANCE: u32 = TASK_CRASHES_MAX - 1;
/// For how long a task waits whose turn it is not.
const PUT_OFF: Duration = Duration::from_secs(1);
/// For so long after a suspect has begun nothing is claimed: most that kill their worker do it at once,
/// and what was just claimed would count the crash too.
const WATCHED: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Suspects {
    board: Arc<dyn TaskBoard>,
    one: Arc<Semaphore>,
    watched_until: Mutex<Instant>,
}

/// A task that may begin. What is beside it is kept until it has ended.
pub(super) type Ready = (Leased, Option<OwnedSemaphorePermit>);

impl Suspects {
    pub(super) fn new(board: Arc<dyn TaskBoard>) -> Self {
        Self { board, one: Arc::new(Semaphore::new(1)), watched_until: Mutex::new(Instant::now()) }
    }

    /// Returns at once, unless a suspect has just begun: then when it has ended, or is watched no more.
    pub(super) async fn watched(&self) {
        let until = *self.watched_until.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = timeout_at(until, self.one.acquire()).await;
    }

    /// The right to begin a suspect, while no other one runs.
    fn begin(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.one.clone().try_acquire_owned().ok()?;
        *self.watched_until.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now() + WATCHED;
        Some(permit)
    }

    /// Whether this is a suspect. Only tasks that were tried often enough are looked up.
    async fn is_suspect(&self, leased: &Leased) -> bool {
        if leased.attempt <= LAST_CHANCE {
            return false;
        }
        match self.board.find(&leased.task.id).await {
            Ok(record) => record.is_some_and(|record| record.crashes >= LAST_CHANCE),
            // Nothing speaks for it.
            Err(_) => true,
        }
    }
}

/// Those of the tasks that may begin. Suspects whose turn it is not are put off, and the queue knows it
/// before one of the others begins: it may kill this worker at once.
pub(super) async fn sift(worker: &Inner, claimed: Vec<Leased>) -> Vec<Ready> {
    let suspects = &worker.suspects;
    let (mut ready, mut put_off) = (Vec::with_capacity(claimed.len()), Vec::new());
    for leased in claimed {
        if !suspects.is_suspect(&leased).await {
            ready.push((leased, None));
        } else if let Some(permit) = suspects.begin() {
            ready.push((leased, Some(permit)));
        } else {
            let outcome = Outcome::Postponed { at: worker.clock.now().plus(PUT_OFF) };
            put_off.push(worker.settler.settle(Settlement { lease: leased.lease, outcome }));
        }
    }
    join_all(put_off).await;
    ready
}
