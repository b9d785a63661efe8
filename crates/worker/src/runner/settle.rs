//! Tells the queue how jobs ended, for many at once.

use std::sync::Arc;
use std::time::Duration;

use metrics::Counter;
use outrigger_kernel::limits::TASKS_MAX;
use outrigger_ports::gather::Gather;
use outrigger_ports::queue::{Queue, QueueError, Settlement};

/// Most tasks that a line about several names.
const NAMED: usize = 10;
/// Calls to the queue that are under way at once.
const TURNS: usize = 2;
/// The pause before a call is tried again, from the first to the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// See the module.
#[derive(Debug)]
pub(super) struct Settler {
    queue: Arc<dyn Queue>,
    gather: Gather<Settlement, bool>,
    refused: Counter,
}

impl Settler {
    pub(super) fn new(queue: Arc<dyn Queue>) -> Self {
        let refused = metrics::counter!("outrigger_task_leases_refused_total");
        Self { queue, gather: Gather::in_turns(TURNS), refused }
    }

    /// Returns once the queue has taken it, or refused it because the lease had ended. While the
    /// queue is away it is tried again: until it is back, or the lease has run out there.
    pub(super) async fn settle(&self, settlement: Settlement) {
        let id = settlement.lease.task_id.clone();
        let queue = self.queue.clone();
        let taken = self.gather.answer(settlement, move |all| settle_all(queue, all)).await;
        if taken != Some(true) {
            self.refused.increment(1);
            tracing::warn!(
                lease.task = id,
                "the queue refused the outcome of a task: its lease had ended"
            );
        }
    }
}

async fn settle_all(queue: Arc<dyn Queue>, all: Vec<Settlement>) -> Vec<bool> {
    let mut taken = Vec::with_capacity(all.len());
    for some in all.chunks(TASKS_MAX) {
        taken.extend(settle_some(&*queue, some).await);
    }
    taken
}

async fn settle_some(queue: &dyn Queue, some: &[Settlement]) -> Vec<bool> {
    let mut pause = PAUSE.0;
    loop {
        match queue.settle(some.to_vec()).await {
            Ok(taken) => return taken,
            Err(QueueError::Bound(what)) => {
                tracing::error!(
                    what,
                    tasks = some.len(),
                    task.ids = ids(some),
                    "the queue cannot take the outcome of one of these tasks, and so of none"
                );
                return vec![false; some.len()];
            }
            Err(error) => {
                tracing::warn!(
                    tasks = some.len(), task.ids = ids(some), source = %error,
                    "the outcome of tasks cannot be told; it is tried again"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Some of them: a line is to stay readable.
fn ids(some: &[Settlement]) -> String {
    let named = some.iter().take(NAMED).map(|settlement| &*settlement.lease.task_id);
    let mut ids = named.collect::<Vec<_>>().join(", ");
    if some.len() > NAMED {
        ids.push_str(", …");
    }
    ids
}
