//! A circuit breaker: after some failures in a row, nothing is asked for a while.
//!
//! Closed, everything passes. After three failures in a row it opens for 0.1 s; then one call is
//! let through to try. When that fails it stays open, each time for twice as long, up to 5 s, and
//! with jitter, so that many processes do not try in step. When it succeeds the breaker closes.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use outrigger_kernel::{Clock, Random, Timestamp, random};

/// So many failures in a row open it.
const FAILURES_MAX: u32 = 3;
/// How long it is open the first time, and never shorter.
const OPEN_MIN: Duration = Duration::from_millis(100);
/// How long it is open at most.
const OPEN_MAX: Duration = Duration::from_secs(5);
/// When the call that tries has not come back by then, another one may.
const TRY_FOR: Duration = Duration::from_secs(1);

/// How long a backend that answers again is not to be believed, see [`Breaker::is_settling`].
pub const SETTLING: Duration = Duration::from_secs(2);

/// The state of one backend, shared by all who call it.
#[derive(Debug)]
pub struct Breaker {
    name: &'static str,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Zero while closed; else nothing passes before this instant, in microseconds since the Unix
    /// epoch.
    open_until: AtomicI64,
    /// When it last answered again after a failure, until that is long enough ago; else zero.
    closed_at: AtomicI64,
    failures: AtomicU32,
    /// How often it was opened since it was last closed.
    openings: Mutex<u32>,
    open: Gauge,
}

impl Breaker {
    /// A closed breaker. `name` is for the log and for the gauge `outrigger_breaker_open{of}`.
    pub fn new(name: &'static str, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let open = metrics::gauge!("outrigger_breaker_open", "of" => name);
        open.set(0.0);
        Self {
            name,
            clock,
            random,
            open_until: AtomicI64::new(0),
            closed_at: AtomicI64::new(0),
            failures: AtomicU32::new(0),
            openings: Mutex::new(0),
            open,
        }
    }

    /// Whether the backend was away when it was last asked. For health: the service is degraded.
    pub fn is_open(&self) -> bool {
        self.open_until.load(Ordering::Acquire) != 0
    }

    /// Whether the backend answers again only since [`SETTLING`]. What it says may be from before
    /// it was away, and other processes may still be telling it what they did meanwhile.
    pub fn is_settling(&self) -> bool {
        let closed_at = self.closed_at.load(Ordering::Relaxed);
        if closed_at == 0 {
            return false;
        }
        let settled = self.clock.now().since(Timestamp::from_micros(closed_at)) >= SETTLING;
        if settled {
            self.closed_at.store(0, Ordering::Relaxed);
        }
        !settled
    }

    /// The right to call the backend, or `None` when it shall not be called now.
    pub fn enter(&self) -> Option<Pass<'_>> {
        let until = self.open_until.load(Ordering::Acquire);
        if until == 0 {
            return Some(Pass { breaker: self, tries: false });
        }
        let now = self.clock.now();
        if now.as_micros() < until {
            return None;
        }
        let next = now.plus(TRY_FOR).as_micros();
        self.open_until
            .compare_exchange(until, next, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
            .then_some(Pass { breaker: self, tries: true })
    }

    /// The right to call the backend in any case, as a health check does; its result counts.
    pub fn enter_anyway(&self) -> Pass<'_> {
        Pass { breaker: self, tries: self.is_open() }
    }

    fn succeeded(&self, tried: bool) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            // Also a short absence: others may have changed things that it has not heard of.
            self.failures.store(0, Ordering::Relaxed);
            self.closed_at.store(self.clock.now().as_micros(), Ordering::Relaxed);
        }
        if tried {
            let mut openings = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
            if self.open_until.swap(0, Ordering::AcqRel) != 0 {
                *openings = 0;
                self.closed_at.store(self.clock.now().as_micros(), Ordering::Relaxed);
                self.open.set(0.0);
                tracing::info!(backend = self.name, "the backend answers again");
            }
        }
    }

    fn failed(&self, tried: bool) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if !tried && failures < FAILURES_MAX {
            return;
        }
        let mut openings = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        let was_open = self.is_open();
        // Calls that began before it opened say nothing new.
        if was_open != tried {
            return;
        }
        let longest = OPEN_MIN.saturating_mul(1 << (*openings).min(10)).min(OPEN_MAX);
        let half = u64::try_from((longest / 2).as_micros()).unwrap_or(0);
        let jitter = Duration::from_micros(random::below(&*self.random, half));
        let span = longest.saturating_sub(jitter).max(OPEN_MIN);
        *openings = openings.saturating_add(1);
        self.open_until.store(self.clock.now().plus(span).as_micros(), Ordering::Release);
        if !was_open {
            self.open.set(1.0);
            tracing::warn!(backend = self.name, "the backend does not answer and is skipped");
        }
    }
}

/// The right to call the backend once. When dropped without a result, nothing is learnt.
#[derive(Debug)]
#[must_use]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    /// Whether it is the one that tries an open breaker's backend.
    tries: bool,
}

impl Pass<'_> {
    /// The backend answered.
    pub fn succeeded(self) {
        self.breaker.succeeded(self.tries);
    }

    /// The backend is away, or too slow.
    pub fn failed(self) {
        self.breaker.failed(self.tries);
    }

    /// Counts a result; an error of any kind is a failure.
    pub fn count<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        if result.is_ok() {
            self.succeeded();
        } else {
            self.failed();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::{ManualClock, SystemRandom, Timestamp};

    fn breaker() -> (Arc<ManualClock>, Breaker) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        (clock.clone(), Breaker::new("test", clock, Arc::new(SystemRandom)))
    }

    fn open(breaker: &Breaker) {
        for _ in 0..FAILURES_MAX {
            breaker.enter().unwrap().failed();
        }
        assert!(breaker.is_open());
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let (_, breaker) = breaker();
        for _ in 0..20 {
            breaker.enter().unwrap().failed();
            breaker.enter().unwrap().failed();
            assert!(!breaker.is_open());
            breaker.enter().unwrap().succeeded();
        }
        open(&breaker);
        assert!(breaker.enter().is_none());
    }

    #[test]
    fn one_call_tries_and_its_success_closes() {
        let (clock, breaker) = breaker();
        open(&breaker);
        clock.advance(OPEN_MIN);
        let tries = breaker.enter().unwrap();
        assert!(breaker.enter().is_none(), "only one tries");
        assert!(breaker.is_open());
        tries.succeeded();
        assert!(!breaker.is_open());
        assert!(breaker.enter().is_some());
        breaker.enter().unwrap().failed();
        assert!(!breaker.is_open(), "failures are counted anew");
    }

    #[test]
    fn each_failed_try_opens_it_for_longer_up_to_five_seconds() {
        let (clock, breaker) = breaker();
        open(&breaker);
        for opening in 0..12_u32 {
            let longest = OPEN_MIN.saturating_mul(1 << opening).min(OPEN_MAX);
            let mut waited = Duration::ZERO;
            let tries = loop {
                if let Some(pass) = breaker.enter() {
                    break pass;
                }
                clock.advance(Duration::from_millis(1));
                waited += Duration::from_millis(1);
            };
            assert!(waited <= longest, "opening {opening}: {waited:?}");
            assert!(waited >= OPEN_MIN.max(longest / 2), "opening {opening}: {waited:?}");
            tries.failed();
        }
    }

    #[test]
    fn a_try_that_does_not_come_back_lets_another_one_try() {
        let (clock, breaker) = breaker();
        open(&breaker);
        clock.advance(OPEN_MIN);
        drop(breaker.enter().unwrap());
        assert!(breaker.enter().is_none());
        clock.advance(TRY_FOR);
        breaker.enter().unwrap().succeeded();
        assert!(!breaker.is_open());
    }

    #[test]
    fn late_answers_of_earlier_calls_change_nothing() {
        let (clock, breaker) = breaker();
        let early: Vec<Pass<'_>> = (0..10).map(|_| breaker.enter().unwrap()).collect();
        open(&breaker);
        for (n, pass) in early.into_iter().enumerate() {
            if n % 2 == 0 {
                pass.failed();
            } else {
                pass.succeeded();
            }
            assert!(breaker.is_open());
        }
        clock.advance(OPEN_MIN);
        assert!(breaker.enter().is_some(), "it is open no longer than at first");
    }

    #[test]
    fn a_health_check_closes_it() {
        let (_, breaker) = breaker();
        open(&breaker);
        breaker.enter_anyway().succeeded();
        assert!(!breaker.is_open());
    }
}
