//! Tasks whose next lost worker would be their last: one at a time, so that whichever of them kills its
//! worker takes none of the others with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use outrigger_kernel::limits::TASK_CRASHES_MAX;
use outrigger_ports::queue::{Leased, Outcome, TaskBoard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Inner;
use super::execute::{Held, give_back};

/// One more crash than this, and the task is dead.
const LAST_CHANCE: u32 = TASK_CRASHES_MAX - 1;
/// For how long a task waits whose turn it is not: half of the time for which the one whose turn it is has
/// run already, within these bounds.
const PUT_OFF: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(5));
/// For so long after a suspect has begun nothing is claimed: most that kill their worker do it at once,
/// and what was just claimed would count the crash too. Nor for so long while it is looked which are
/// suspects.
const WATCHED: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Suspects {
    board: Arc<dyn TaskBoard>,
    one: Arc<Semaphore>,
    /// Since when somebody has the turn, or had it last.
    since: Mutex<Instant>,
}

/// The right to run a suspect, while no other one does.
pub(super) type Turn = OwnedSemaphorePermit;

/// A task that may begin; a suspect with its turn.
pub(super) type Ready = (Held, Option<Turn>);

/// Whether this can be a suspect: each crash was an attempt. Only such tasks are looked up.
pub(super) fn may_be(leased: &Leased) -> bool {
    leased.attempt > LAST_CHANCE
}

impl Suspects {
    pub(super) fn new(board: Arc<dyn TaskBoard>) -> Self {
        Self { board, one: Arc::new(Semaphore::new(1)), since: Mutex::new(Instant::now()) }
    }

    /// Returns at once, unless a suspect has just begun or may be about to: then when it has ended, or is
    /// watched no more.
    pub(super) async fn watched(&self) {
        let until = *self.since() + WATCHED;
        let _ = timeout_at(until, self.one.acquire()).await;
    }

    fn since(&self) -> MutexGuard<'_, Instant> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long a task waits whose turn it is not.
    fn pause(&self) -> Duration {
        (self.since().elapsed() / 2).clamp(PUT_OFF.0, PUT_OFF.1)
    }

    /// The turn, if nobody has it.
    pub(super) fn begin(&self) -> Option<Turn> {
        let turn = self.one.clone().try_acquire_owned().ok()?;
        *self.since() = Instant::now();
        Some(turn)
    }

    async fn is_suspect(&self, leased: &Leased) -> bool {
        if !may_be(leased) {
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
pub(super) async fn sift(worker: &Inner, held: Vec<Held>, mut turn: Option<Turn>) -> Vec<Ready> {
    let suspects = &worker.suspects;
    let looked_up = join_all(held.iter().map(|held| suspects.is_suspect(&held.leased))).await;
    let (mut ready, mut put_off): (Vec<Ready>, Vec<Held>) = Default::default();
    for (held, is_suspect) in held.into_iter().zip(looked_up) {
        if !is_suspect {
            ready.push((held, None));
        } else if let Some(turn) = turn.take() {
            ready.push((held, Some(turn)));
        } else {
            put_off.push(held);
        }
    }
    drop(turn);
    let at = worker.clock.now().plus(suspects.pause());
    join_all(put_off.iter().map(|held| give_back(worker, held, Outcome::Postponed { at }))).await;
    if ready.iter().any(|(_, turn)| turn.is_some()) {
        *suspects.since() = Instant::now();
    }
    ready
}
