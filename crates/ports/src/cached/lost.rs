//! Writes that could not be announced to the cache, because it was away.
//!
//! Their keys are kept here, up to a bound. Before the cache is used for one of them again, the
//! key is held and released, which removes the old value. When there were more than the bound, the
//! cache is not used for any key until every value that was in it has expired. What other processes
//! [tell of](super::notices) is kept in the same way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_kernel::{ErrorKind, limits};
use tokio::time::Instant;

/// Most keys that are kept.
pub(super) const KEYS_MAX: usize = 16_384;
/// Most keys that one reader makes good.
const REPAIR_MAX: usize = 128;

/// For how long who has read a notice of any key uses the cache for no key, beyond the life of the
/// values that were cached by then: longer than notices stand without being renewed and a commit
/// takes together, for writes that follow are not told of again at once.
pub(super) const ANY_FOR: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub(super) struct Lost {
    /// How many keys there are, to be read without the lock.
    count: AtomicUsize,
    /// When a key was lost that found no room, in milliseconds after `born` plus 1; 0 for never.
    overflowed_ms: AtomicU64,
    /// The same for keys of other processes.
    others_overflowed_ms: AtomicU64,
    /// The longest time to live that was used so far, in milliseconds.
    longest_ttl_ms: AtomicU64,
    born: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: HashMap<String, Mark>,
    marks: u64,
    repairing: bool,
}

/// When a key was lost, in the order of all, and whether its commit may still take effect.
#[derive(Clone, Copy, Debug)]
struct Mark {
    number: u64,
    open: bool,
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            count: AtomicUsize::new(0),
            overflowed_ms: AtomicU64::new(0),
            others_overflowed_ms: AtomicU64::new(0),
            longest_ttl_ms: AtomicU64::new(0),
            born: Instant::now(),
            state: Mutex::default(),
        }
    }
}

impl Lost {
    /// Whether anything is lost at all; cheap, for the path of every read.
    pub(super) fn any(&self) -> bool {
        self.any_of_own() || self.others_overflowed_ms.load(Ordering::Acquire) > 0
    }

    /// Whether there is anything that this process has to make good.
    pub(super) fn any_of_own(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0 || self.overflowed_ms.load(Ordering::Acquire) > 0
    }

    /// Another process tells of more keys than it can name.
    pub(super) fn others_lost_any(&self) {
        self.others_overflowed_ms.store(self.age_ms(), Ordering::Release);
    }

    /// No other process does any more.
    pub(super) fn others_found_all(&self) {
        self.others_overflowed_ms.store(0, Ordering::Release);
    }

    /// Whether the cache may have an old value of this key, which lives for `ttl`.
    pub(super) fn is_lost(&self, key: &str, ttl: Duration) -> bool {
        self.is_all_lost(ttl) || self.state().keys.contains_key(key)
    }

    /// Remembers the keys. `open` says that the commit may still take effect.
    pub(super) fn remember(&self, keys: &[String], open: bool) {
        let mut state = self.state();
        for key in keys {
            state.marks += 1;
            let number = state.marks;
            if state.keys.len() < KEYS_MAX || state.keys.contains_key(key) {
                let mark = state.keys.entry(key.clone()).or_insert(Mark { number, open });
                *mark = Mark { number, open: mark.open || open };
            } else {
                self.overflowed_ms.store(self.age_ms(), Ordering::Release);
            }
        }
        self.count.store(state.keys.len(), Ordering::Release);
    }

    /// A write of these keys that the cache does not hear of; remembers them in the end.
    pub(super) fn unannounced<'a>(&'a self, keys: &'a [String]) -> Unannounced<'a> {
        Unannounced { lost: self, keys, open: true, changed: true }
    }

    /// A value is cached for this long.
    pub(super) fn saw_ttl(&self, ttl: Duration) {
        let ttl = millis(ttl);
        if self.longest_ttl_ms.load(Ordering::Relaxed) < ttl {
            self.longest_ttl_ms.fetch_max(ttl, Ordering::Relaxed);
        }
    }

    /// Some keys to be made good, unless another one is at it or there are none.
    pub(super) fn repair(&self) -> Option<Repair<'_>> {
        let mut state = self.state();
        if state.repairing || state.keys.is_empty() {
            return None;
        }
        state.repairing = true;
        let mut some: Vec<(&String, &Mark)> = state.keys.iter().take(REPAIR_MAX).collect();
        some.sort_by_key(|(_, mark)| mark.open);
        let finished = some.partition_point(|(_, mark)| !mark.open);
        let (keys, numbers) = some.into_iter().map(|(key, m)| (key.clone(), m.number)).unzip();
        Some(Repair { lost: self, keys, numbers, finished })
    }

    fn is_all_lost(&self, ttl: Duration) -> bool {
        self.is_recent(&self.overflowed_ms, ttl, Duration::ZERO)
            || self.is_recent(&self.others_overflowed_ms, ttl, ANY_FOR)
    }

    /// Whether a value may still be cached that is older than this instant, or so much `longer`;
    /// the instant is forgotten when none can.
    fn is_recent(&self, overflowed_ms: &AtomicU64, ttl: Duration, longer: Duration) -> bool {
        let overflowed = overflowed_ms.load(Ordering::Acquire);
        if overflowed == 0 {
            return false;
        }
        let since = self.age_ms().saturating_sub(overflowed);
        let since = since.saturating_sub(millis(longer));
        if since > u64::from(limits::CACHE_TTL_S_MAX) * 1_000 {
            let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
            let _ = overflowed_ms.compare_exchange(overflowed, 0, success, failure);
            return false;
        }
        since <= self.longest_ttl_ms.load(Ordering::Relaxed).max(millis(ttl))
    }

    fn age_ms(&self) -> u64 {
        millis(self.born.elapsed()) + 1
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A write that the cache does not hear of. When dropped before it has ended, its outcome is not
/// known.
#[derive(Debug)]
pub(super) struct Unannounced<'a> {
    lost: &'a Lost,
    keys: &'a [String],
    open: bool,
    changed: bool,
}

impl Unannounced<'_> {
    /// The commit has ended, with an error of this kind if with one.
    pub(super) fn ended(&mut self, error: Option<ErrorKind>) {
        self.open = error == Some(ErrorKind::OutcomeUnknown);
        self.changed = error.is_none() || self.open;
    }
}

impl Drop for Unannounced<'_> {
    fn drop(&mut self) {
        if self.changed {
            self.lost.remember(self.keys, self.open);
        }
    }
}

/// Keys that are being made good. They stay lost until that is done.
#[derive(Debug)]
pub(super) struct Repair<'a> {
    lost: &'a Lost,
    keys: Vec<String>,
    numbers: Vec<u64>,
    /// So many of the keys, from the first, belong to commits that have ended.
    finished: usize,
}

impl Repair<'_> {
    /// All of them, to be held.
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Those to be released at once; the others are left held, since their commits may still
    /// take effect.
    pub(super) fn finished_keys(&self) -> &[String] {
        &self.keys[..self.finished]
    }

    /// The cache has no old value of them any more. Keys that were lost again meanwhile stay.
    pub(super) fn done(self) {
        let mut state = self.lost.state();
        for (key, number) in self.keys.iter().zip(&self.numbers) {
            if state.keys.get(key).is_some_and(|mark| mark.number == *number) {
                state.keys.remove(key);
            }
        }
        self.lost.count.store(state.keys.len(), Ordering::Release);
    }
}

impl Drop for Repair<'_> {
    fn drop(&mut self) {
        self.lost.state().repairing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn keys(from: usize, to: usize) -> Vec<String> {
        (from..to).map(|n| format!("k{n}")).collect()
    }

    fn repair_all(lost: &Lost) -> Vec<String> {
        let mut repaired = Vec::new();
        while let Some(repair) = lost.repair() {
            repaired.extend_from_slice(repair.keys());
            repair.done();
        }
        repaired
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_lost_until_they_are_made_good() {
        let lost = Lost::default();
        assert!(!lost.any() && lost.repair().is_none());
        lost.remember(&keys(0, 300), false);
        assert!(lost.any() && lost.is_lost("k299", MINUTE) && !lost.is_lost("k300", MINUTE));
        let failed = lost.repair().unwrap();
        assert!(lost.repair().is_none(), "one at a time");
        drop(failed);
        assert!(lost.is_lost("k299", MINUTE));
        let mut repaired = repair_all(&lost);
        repaired.sort();
        let mut all = keys(0, 300);
        all.sort();
        assert_eq!(repaired, all);
        assert!(!lost.any());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_lost_again_during_its_repair_stays_lost() {
        let lost = Lost::default();
        lost.remember(&keys(0, 2), false);
        let repair = lost.repair().unwrap();
        lost.remember(&keys(1, 2), false);
        repair.done();
        assert!(!lost.is_lost("k0", MINUTE) && lost.is_lost("k1", MINUTE) && lost.any());
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_commits_that_may_still_take_effect_are_not_released() {
        let lost = Lost::default();
        lost.remember(&keys(0, 3), false);
        lost.remember(&keys(2, 5), true);
        let repair = lost.repair().unwrap();
        assert_eq!(repair.keys().len(), 5);
        let mut finished = repair.finished_keys().to_vec();
        finished.sort();
        assert_eq!(finished, keys(0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_bound_everything_is_lost_for_as_long_as_values_live() {
        let lost = Lost::default();
        lost.saw_ttl(MINUTE);
        lost.remember(&keys(0, KEYS_MAX + 1), false);
        assert_eq!(lost.count.load(Ordering::Relaxed), KEYS_MAX);
        assert_eq!(repair_all(&lost).len(), KEYS_MAX);
        assert!(lost.any() && lost.is_lost("anything", Duration::from_secs(1)));
        tokio::time::advance(MINUTE).await;
        assert!(lost.is_lost("anything", Duration::from_secs(1)), "until the last moment");
        tokio::time::advance(Duration::from_millis(2)).await;
        assert!(!lost.is_lost("anything", Duration::from_secs(1)));
        assert!(lost.is_lost("longer", MINUTE * 60), "a value that lives longer may be there");
        tokio::time::advance(MINUTE * 60 * 25).await;
        assert!(!lost.is_lost("longer", MINUTE * 60 * 24) && !lost.any());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unannounced_write_is_remembered_unless_it_surely_changed_nothing() {
        for (ended, lost_then, open) in [
            (Some(None), true, false),
            (Some(Some(ErrorKind::OutcomeUnknown)), true, true),
            (Some(Some(ErrorKind::Conflict)), false, false),
            (None, true, true),
        ] {
            let lost = Lost::default();
            let key = keys(0, 1);
            let mut write = lost.unannounced(&key);
            if let Some(error) = ended {
                write.ended(error);
            }
            drop(write);
            assert_eq!(lost.is_lost("k0", MINUTE), lost_then, "{ended:?}");
            if let Some(repair) = lost.repair() {
                assert_eq!(repair.finished_keys().is_empty(), open, "{ended:?}");
            }
        }
    }
}
