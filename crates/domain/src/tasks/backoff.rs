//! When a failed task is tried again.

use std::time::Duration;

use outrigger_kernel::{Random, Timestamp, random};
use outrigger_ports::queue::Task;

/// The instant of the attempt after the one numbered `attempt` (from 1): the pause doubles with each
/// attempt up to the task's longest, and is cut by up to half at random, so that tasks that failed
/// together do not come back together.
pub fn retry_at(task: &Task, attempt: u32, now: Timestamp, random: &dyn Random) -> Timestamp {
    let doublings = attempt.saturating_sub(1).min(32);
    let longest = task.backoff_ms.saturating_mul(1 << doublings).min(task.backoff_max_ms);
    let cut = random::below(random, longest / 2 + 1);
    now.plus(Duration::from_millis(longest - cut))
}
