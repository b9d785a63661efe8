//! How many others are at the same tasks, as far as one handle has noticed.

use std::sync::atomic::{AtomicU32, Ordering};

/// Meetings count this much, each claim without one takes 1 back.
const MEETING: u32 = 16;
/// No more is remembered.
const MEETINGS_MAX: u32 = 8 * MEETING;

/// Remembers meetings for a while.
#[derive(Debug, Default)]
pub(super) struct Crowd(AtomicU32);

impl Crowd {
    /// Somebody else was at the same tasks, or nobody.
    pub(super) fn noticed(&self, met: bool) {
        let change = |seen: u32| {
            Some(if met { (seen + MEETING).min(MEETINGS_MAX) } else { seen.saturating_sub(1) })
        };
        // It always changes to something.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    /// Among so many times what it wants a claimer takes a random place: 1 to 17.
    pub(super) fn spread(&self) -> usize {
        let seen = self.0.load(Ordering::Relaxed);
        1 + usize::try_from(2 * seen.div_ceil(MEETING)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_grows_with_meetings_and_is_forgotten_without() {
        let crowd = Crowd::default();
        assert_eq!(crowd.spread(), 1);
        crowd.noticed(true);
        assert_eq!(crowd.spread(), 3);
        (0..100).for_each(|_| crowd.noticed(true));
        assert_eq!(crowd.spread(), 17);
        (0..MEETINGS_MAX).for_each(|_| crowd.noticed(false));
        assert_eq!(crowd.spread(), 1);
    }
}
