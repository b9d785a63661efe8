//! Cache-aside over the cache port.
//!
//! Three promises, on top of the leases and holds of [`crate::cache`]:
//!
//! 1. Concurrent misses of a key load it once: in this process they share one load (`flight.rs`),
//!    other processes wait a little for the value to appear.
//! 2. A value that a writer has invalidated is not put back, and a reader that starts after a
//!    write was acknowledged does not get what was there before.
//! 3. Without the cache everything goes on, from the store. Writes that could not be announced to
//!    the cache are remembered and made good before the cache is used for them again (`lost.rs`),
//!    and at the latest when [`CacheAside::repair`] is called next. Other processes that still reach
//!    the cache are told of them in the store ([`Notices`]), even if this one ends; those that lost
//!    it too wait before they trust it again ([`crate::layered::GuardedCache`]).

mod board;
mod flight;
mod lost;
mod notices;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metrics::Counter;
use outrigger_kernel::{ErrorKind, Random, Result, random};
use tokio::time::Instant;

use crate::cache::{Cache, CacheError, Lease, Lookup};
use board::Board;
use flight::{Flights, Seat};
use lost::Lost;

pub use notices::{Notice, Notices, StoredNotices};

/// Where a value came from; becomes `Cache-Status` (RFC 9211).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the cache.
    Hit,
    /// From the store; `stored` says whether the cache took it.
    Miss {
        /// Whether it is in the cache now.
        stored: bool,
    },
    /// From the store, without the cache: it is away, or a writer holds the key.
    Bypass,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Who misses may take this long to load; then another one may try.
    pub lease_for: Duration,
    /// Longer than any commit takes. When a writer dies, its keys are not cached for this long.
    pub hold_for: Duration,
    /// How long to wait for a value that another process is loading, before loading it here too.
    pub wait_for: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease_for: Duration::from_secs(5),
            hold_for: Duration::from_secs(15),
            wait_for: Duration::from_millis(250),
        }
    }
}

/// The first pause while another process loads; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_millis(80);
/// After so many failed loads in a row, those who wait load for themselves.
const FAILURES_SHARED_MAX: u32 = 2;

/// Reads through the cache and keeps it right across writes.
#[derive(Debug)]
pub struct CacheAside {
    cache: Arc<dyn Cache>,
    random: Arc<dyn Random>,
    timing: Timing,
    flights: Flights,
    lost: Arc<Lost>,
    board: Arc<Board>,
    notices: Option<Arc<dyn Notices>>,
    hits: Counter,
    misses: Counter,
    bypasses: Counter,
}

/// What one load gave to all who waited for it: the value, and whether the cache has it now.
type Loaded = (Option<Bytes>, bool);

impl CacheAside {
    /// Cache-aside over this cache; `random` jitters times to live.
    ///
    /// Counts in `outrigger_cache_requests_total{outcome="hit|miss|bypass"}` of the recorder that
    /// is installed now.
    pub fn new(cache: Arc<dyn Cache>, random: Arc<dyn Random>) -> Self {
        Self::with_timing(cache, random, Timing::default())
    }

    /// The same with other times.
    pub fn with_timing(cache: Arc<dyn Cache>, random: Arc<dyn Random>, timing: Timing) -> Self {
        Self::sharing(cache, random, timing, &LostWrites::default())
    }

    /// The same, knowing also of the writes that others in this process could not announce.
    pub fn sharing(
        cache: Arc<dyn Cache>,
        random: Arc<dyn Random>,
        timing: Timing,
        lost: &LostWrites,
    ) -> Self {
        let counter =
            |outcome| metrics::counter!("outrigger_cache_requests_total", "outcome" => outcome);
        Self {
            flights: Flights::new(cache.clone()),
            cache,
            random,
            timing,
            lost: lost.lost.clone(),
            board: lost.board.clone(),
            notices: None,
            hits: counter("hit"),
            misses: counter("miss"),
            bypasses: counter("bypass"),
        }
    }

    /// The same, for a cache that other processes use too, who are told of lost writes by
    /// `notices`; [`Self::look`] must then be called a few times a second.
    #[must_use]
    pub fn telling(mut self, notices: Arc<dyn Notices>) -> Self {
        self.board.name(&*self.random);
        self.notices = Some(notices);
        self
    }

    /// The value from the cache, or from `load`, which then fills the cache for about `ttl`.
    /// `None` (there is no such thing) is not cached. `ttl` zero goes past the cache.
    ///
    /// # Errors
    /// What `load` says. A reader never gets the error of another one's load: it loads then itself.
    pub async fn read<F>(
        &self,
        key: &str,
        ttl: Duration,
        load: F,
    ) -> Result<Option<(Bytes, Source)>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        if ttl.is_zero() || (self.lost.any() && !self.is_usable(key, ttl).await) {
            return self.bypass(load).await;
        }
        let lookup = self.cache.lookup(key, self.timing.lease_for).await;
        if let Ok(Lookup::Hit(value)) = lookup {
            self.hits.increment(1);
            return Ok(Some((value, Source::Hit)));
        }
        self.read_missing(key, ttl, lookup, pin!(load)).await
    }

    /// The value, if the cache has it now: for a reader who may turn out not to need it, while
    /// something else is on its way. Then [`Self::read`] goes on.
    pub async fn ahead(&self, key: &str) -> Option<Bytes> {
        if self.lost.any() {
            return None;
        }
        let found = self.cache.peek(key).await.ok().flatten();
        if found.is_some() {
            self.hits.increment(1);
        }
        found
    }

    /// Runs `commit` with these keys held, so that no reader keeps or puts back an old value.
    ///
    /// The commit runs also when the cache is away. When its outcome is not known, or this future
    /// is dropped, the hold is left to end by itself.
    ///
    /// # Errors
    /// What `commit` says.
    pub async fn write<T, F>(&self, keys: &[String], commit: F) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        Ok(self.write_and_tell(keys, commit).await?.0)
    }

    /// As [`Self::write`], for what nobody may rely on any more: when this returns, no process
    /// does that calls [`Self::is_current`] before it reads. That takes time when the cache is away.
    ///
    /// # Errors
    /// What `commit` says.
    pub async fn revoke<T, F>(&self, keys: &[String], commit: F) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let (result, known_to_all_at) = self.write_and_tell(keys, commit).await?;
        if let Some(at) = known_to_all_at {
            tokio::time::sleep_until(at).await;
        }
        Ok(result)
    }

    /// Whether this process has heard lately of what others could not tell the cache. If not, what
    /// must not be outlived is read with a `ttl` of zero.
    pub fn is_current(&self) -> bool {
        self.notices.is_none() || self.board.is_believed()
    }

    /// Learns of the writes that other processes could not announce, and makes them good, as well
    /// as its own.
    ///
    /// # Errors
    /// When the notices cannot be read.
    pub async fn look(&self) -> Result<()> {
        let Some(notices) = &self.notices else { return Ok(()) };
        self.board.heed(&self.lost, &**notices).await?;
        self.repair().await;
        self.board.tidy(&self.lost, &**notices).await
    }

    /// Also says from when on everybody knows, if not at once.
    async fn write_and_tell<T, F>(&self, keys: &[String], commit: F) -> Result<(T, Option<Instant>)>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        if keys.is_empty() {
            return Ok((commit.await?, None));
        }
        let Ok(hold) = self.cache.hold(keys, self.timing.hold_for).await else {
            let told = match &self.notices {
                Some(notices) => Some(self.board.announce(keys, &**notices).await?),
                None => None,
            };
            let mut unannounced = self.lost.unannounced(keys);
            let result = commit.await;
            unannounced.ended(result.as_ref().err().map(outrigger_kernel::Error::kind));
            drop(unannounced);
            return Ok((result?, told.map(|told| told.known_to_all_at())));
        };
        let result = commit.await;
        let known = result.as_ref().err().is_none_or(|e| e.kind() != ErrorKind::OutcomeUnknown);
        if known && self.cache.release(keys, &hold).await.is_err() {
            // The hold may have run out, or have been lost with the cache, before the commit.
            self.lost.remember(keys, false);
        }
        Ok((result?, None))
    }

    /// Makes good all writes that the cache has not heard of, as far as it answers; to be called
    /// now and then, so that other processes need not wait for a reader here.
    pub async fn repair(&self) {
        while self.lost.any() && self.repair_some().await {}
    }

    /// Goes on after a lookup that was no hit.
    async fn read_missing<F>(
        &self,
        key: &str,
        ttl: Duration,
        mut lookup: Result<Lookup, CacheError>,
        load: Pin<&mut F>,
    ) -> Result<Option<(Bytes, Source)>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        let seat = loop {
            match lookup {
                Ok(Lookup::Hit(value)) => {
                    self.hits.increment(1);
                    return Ok(Some((value, Source::Hit)));
                }
                Ok(Lookup::Miss(lease)) => break self.flights.start(key, lease),
                Ok(Lookup::Held) | Err(_) => return self.bypass(load).await,
                Ok(Lookup::Loading) => {}
            }
            if let Some(seat) = self.flights.join(key) {
                break seat;
            }
            let left = self.timing.wait_for.saturating_sub(waited);
            if left.is_zero() {
                // Whoever else waits here shares what is loaded.
                break self.flights.join_or_start(key);
            }
            pause = pause.min(left);
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LAST_PAUSE);
            lookup = self.cache.lookup(key, self.timing.lease_for).await;
        };
        self.fly(seat, ttl, load).await
    }

    /// Waits for one's turn, then takes what was loaded meanwhile, or loads.
    async fn fly<F>(
        &self,
        seat: Seat<'_>,
        ttl: Duration,
        load: Pin<&mut F>,
    ) -> Result<Option<(Bytes, Source)>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        let mut turn = seat.turn().await;
        if let Some((value, stored)) = turn.result_for(&seat) {
            return Ok(self.missed(value, stored));
        }
        if turn.failures() >= FAILURES_SHARED_MAX {
            drop(turn);
            return self.bypass(load).await;
        }
        turn.begins();
        match load.await {
            Ok(value) => {
                // Nobody joins from here on, so the fill below speaks for all who have.
                seat.close();
                let stored = match (turn.lease(), &value) {
                    (Some(lease), Some(value)) => {
                        self.fill(seat.key(), &lease, value.clone(), ttl).await
                    }
                    (Some(lease), None) => {
                        // When the cache is away, the lease ends by itself.
                        let _ = self.cache.abandon(seat.key(), &lease).await;
                        false
                    }
                    (None, _) => false,
                };
                turn.done((value.clone(), stored));
                Ok(self.missed(value, stored))
            }
            Err(error) => {
                turn.failed();
                if seat.is_alone()
                    && let Some(lease) = turn.take_lease()
                {
                    let _ = self.cache.abandon(seat.key(), &lease).await;
                }
                Err(error)
            }
        }
    }

    async fn fill(&self, key: &str, lease: &Lease, value: Bytes, ttl: Duration) -> bool {
        self.lost.saw_ttl(ttl);
        let tenth = u64::try_from((ttl / 10).as_micros()).unwrap_or(0);
        let jitter = Duration::from_micros(random::below(&*self.random, tenth));
        self.cache.fill(key, lease, value, ttl.saturating_sub(jitter)).await.unwrap_or(false)
    }

    fn missed(&self, value: Option<Bytes>, stored: bool) -> Option<(Bytes, Source)> {
        self.misses.increment(1);
        value.map(|value| (value, Source::Miss { stored }))
    }

    async fn bypass<F>(&self, load: F) -> Result<Option<(Bytes, Source)>>
    where
        F: Future<Output = Result<Option<Bytes>>> + Send,
    {
        self.bypasses.increment(1);
        Ok(load.await?.map(|value| (value, Source::Bypass)))
    }

    /// Makes good some of the writes that the cache has not heard of; says whether the cache may
    /// be used for this key.
    async fn is_usable(&self, key: &str, ttl: Duration) -> bool {
        self.repair_some().await;
        !self.lost.is_lost(key, ttl)
    }

    /// Makes good some of them; says whether it did, and there may be more.
    async fn repair_some(&self) -> bool {
        let Some(repair) = self.lost.repair() else { return false };
        let Ok(hold) = self.cache.hold(repair.keys(), self.timing.hold_for).await else {
            return false;
        };
        if self.cache.release(repair.finished_keys(), &hold).await.is_err() {
            return false;
        }
        repair.done();
        true
    }
}

/// The writes that one process could not announce to the cache; shared by its threads.
#[derive(Clone, Debug, Default)]
pub struct LostWrites {
    lost: Arc<Lost>,
    board: Arc<Board>,
}
