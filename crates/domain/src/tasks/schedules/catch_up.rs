//! Which of the ticks that are due fire.

use std::time::Duration;

use outrigger_kernel::Timestamp;

use super::model::CatchUp;

/// A tick that is not later than this fires whatever the schedule says of missed ones: as long as it
/// takes another scheduler to take over.
pub(super) const LATE_MAX: Duration = Duration::from_secs(60);

/// Those of these ticks, in their order, that fire.
pub(super) fn choose(catch_up: CatchUp, ticks: Vec<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
    let missed = ticks.iter().take_while(|tick| now.since(**tick) > LATE_MAX).count();
    let from = match catch_up {
        CatchUp::All => 0,
        // One that fires anyway stands for those before it.
        CatchUp::Once if missed == ticks.len() => missed.saturating_sub(1),
        CatchUp::Once | CatchUp::Skip => missed,
    };
    ticks.into_iter().skip(from).collect()
}
