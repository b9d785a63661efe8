//! The loop that claims tasks.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::limits::TASKS_MAX;
use outrigger_ports::queue::{Claim, QueueError};

use super::stop::Stop;
use super::{Inner, execute};

/// Longest wait for a task before the queue is asked again anyway.
const WAIT: Duration = Duration::from_secs(1);
/// The pause after the queue was away, from the first to the longest: work goes on soon after it is
/// back, and a backend that is busy with its return is not asked often.
const AWAY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));

/// Claims until it is told to stop.
pub(super) async fn run(worker: &Arc<Inner>, stop: Stop) {
    let mut away = AWAY.0;
    let mut first = 0;
    while !stop.is_requested() {
        tokio::select! {
            () = worker.running.has_room() => {}
            () = stop.requested() => return,
            // A worker with its hands full is well.
            () = tokio::time::sleep(WAIT) => {
                worker.health.went_round();
                continue;
            }
        }
        first = (first + 1) % worker.options.queues.len().max(1);
        // A queue that is away is the queue's trouble; a call that never returns is this worker's.
        let round = claim_round(worker, first).await;
        worker.health.went_round();
        let pause = match round {
            Ok(0) => None,
            Ok(_) => {
                away = AWAY.0;
                // Lets those that are ready run before more is claimed.
                tokio::task::yield_now().await;
                continue;
            }
            Err(error) => {
                tracing::warn!(source = %error, "no task can be claimed; it is tried again");
                away = (away * 2).min(AWAY.1);
                Some(away)
            }
        };
        if pause.is_none() {
            away = AWAY.0;
        }
        let waiting = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => worker.queue.wait(&worker.options.queues, WAIT).await,
            }
        };
        tokio::select! {
            () = waiting => {}
            () = stop.requested() => return,
        }
    }
}

/// Claims from each queue, beginning with another one each time; says how many tasks it began.
async fn claim_round(worker: &Arc<Inner>, first: usize) -> Result<usize, QueueError> {
    let queues = &worker.options.queues;
    let mut begun = 0;
    for queue in queues.iter().cycle().skip(first).take(queues.len()) {
        worker.suspects.watched().await;
        let room = worker.running.room();
        if room == 0 {
            break;
        }
        let claim = Claim {
            queue,
            kinds: worker.registry.limits(),
            limit: room.min(TASKS_MAX),
            lease_for: worker.options.lease,
            worker: &worker.options.name,
        };
        let claimed = worker.queue.claim(&claim).await?;
        begun += claimed.len();
        execute::begin(worker, claimed);
    }
    Ok(begun)
}
