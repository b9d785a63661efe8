//! What `/metrics` tells of the queues: how many tasks wait, run and are dead, and for how long the
//! oldest has waited. It is looked up now and then, not when somebody reads the metrics.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Gauge, gauge};
use outrigger_kernel::{Clock, Timestamp};
use outrigger_ports::queue::{QueueState, TaskBoard};

/// The pause between two looks.
const LOOK: Duration = Duration::from_secs(10);
/// How far the tasks of a state are counted on a database, which has to read them.
const COUNTED_MAX: usize = 1_000;
/// All queues that are not in `worker.queues`: clients name them, so each would be a value of a label
/// that nobody bounds.
const OTHERS: &str = "other";

/// The gauges of one queue.
struct Levels {
    queue: String,
    /// `queued`, `scheduled`, `running`, `dead`.
    tasks: [Gauge; 4],
    oldest: Gauge,
}

impl Levels {
    fn of(queue: &str) -> Self {
        let tasks = |state: &'static str| gauge!("outrigger_queue_tasks", "queue" => queue.to_owned(), "state" => state);
        Self {
            tasks: ["queued", "scheduled", "running", "dead"].map(tasks),
            oldest: gauge!("outrigger_queue_oldest_seconds", "queue" => queue.to_owned()),
            queue: queue.to_owned(),
        }
    }

    fn set(&self, states: &[&QueueState], now: Timestamp) {
        let counts: [fn(&QueueState) -> u64; 4] =
            [|s| s.queued, |s| s.scheduled, |s| s.running, |s| s.dead];
        for (gauge, count) in self.tasks.iter().zip(counts) {
            // A gauge is a float; counts are far below 2^53.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            gauge.set(states.iter().map(|state| count(state)).sum::<u64>() as f64);
        }
        self.oldest.set(oldest_s(states, now));
    }
}

/// For how many seconds the task that waits longest has been due. Where somebody paused the queue it is
/// meant to wait: neither are people told of that, nor workers added.
fn oldest_s(states: &[&QueueState], now: Timestamp) -> f64 {
    let moving = states.iter().filter(|state| !state.paused);
    let oldest = moving.filter_map(|state| state.oldest).min();
    oldest.map_or(0.0, |since| now.since(since).as_secs_f64())
}

/// Looks until the process ends. While the queue is away, the last values stay.
pub(crate) async fn run(board: Arc<dyn TaskBoard>, clock: Arc<dyn Clock>, queues: Vec<String>) {
    let own: Vec<Levels> = queues.iter().map(|queue| Levels::of(queue)).collect();
    let others = Levels::of(OTHERS);
    // A process without a worker runs none, and says so: that none runs is not the same as that nobody tells.
    gauge!("outrigger_tasks_running").increment(0.0);
    loop {
        match board.queues(COUNTED_MAX).await {
            Ok(states) => {
                let now = clock.now();
                for levels in &own {
                    let own = states.iter().filter(|state| state.name == levels.queue);
                    levels.set(&own.collect::<Vec<_>>(), now);
                }
                let rest = states.iter().filter(|state| !queues.contains(&state.name));
                others.set(&rest.collect::<Vec<_>>(), now);
            }
            Err(error) => tracing::debug!(source = %error, "the queues' levels are not known"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_a_paused_queue_do_not_count_as_waiting() {
        let queue = |paused, oldest: Option<i64>| QueueState {
            name: "default".to_owned(),
            paused,
            queued: 1,
            scheduled: 0,
            running: 0,
            dead: 0,
            oldest: oldest.map(Timestamp::from_secs),
        };
        let seconds = |states: &[&QueueState]| oldest_s(states, Timestamp::from_secs(100));
        let (paused, moving, empty) =
            (queue(true, Some(10)), queue(false, Some(60)), queue(false, None));
        assert!((seconds(&[&paused, &moving, &empty]) - 40.0).abs() < 1e-9);
        assert!(seconds(&[&paused, &empty]).abs() < 1e-9);
    }
}
