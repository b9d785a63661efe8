//! Loads that several readers of one process share.
//!
//! Who gets a lease starts a flight; who learns that the key is being loaded takes a seat in it.
//! All of them queue for the flight's lock, and whoever gets it first loads. A reader that fails
//! or is dropped gives the lock up, and the next one loads in its place: nobody waits in vain.
//!
//! A reader may take the value that another one has loaded only when it is not older than the
//! reader itself, else it might miss a write that was acknowledged before it came. Two things show
//! that: the load began after the reader took its seat (`round`), or the cache accepted the value
//! afterwards, so that no writer has held the key since the lease was given (`stored`). Without
//! either, the next reader loads once more, for itself and all others who were waiting by then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::{Cache, Lease};

use super::Loaded;

/// All flights of one process.
#[derive(Debug)]
pub(super) struct Flights {
    cache: Arc<dyn Cache>,
    open: Mutex<HashMap<Arc<str>, Arc<Flight>>>,
}

#[derive(Debug)]
struct Flight {
    key: Arc<str>,
    seats: AtomicUsize,
    /// How many loads have begun.
    round: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug)]
struct State {
    lease: Option<Lease>,
    failures: u32,
    /// What was loaded last, in which round.
    loaded: Option<(Loaded, u64)>,
}

impl Flights {
    /// No flights yet; unused leases are given back to `cache`.
    pub(super) fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache, open: Mutex::default() }
    }

    /// Starts a flight with this lease. An older flight of the key goes on for those in it: the
    /// new lease says that the older one's has ended.
    pub(super) fn start(&self, key: &str, lease: Lease) -> Seat<'_> {
        let flight = Flight::new(key, Some(lease));
        self.open().insert(flight.key.clone(), flight.clone());
        Seat { flights: self, flight, joined: 0 }
    }

    /// Takes a seat in the open flight of the key, or starts one that fills nothing: for when
    /// another process has the lease and is slow.
    pub(super) fn join_or_start(&self, key: &str) -> Seat<'_> {
        let mut open = self.open();
        if let Some(flight) = open.get(key).cloned() {
            return self.seat(flight);
        }
        let flight = Flight::new(key, None);
        open.insert(flight.key.clone(), flight.clone());
        Seat { flights: self, flight, joined: 0 }
    }

    /// Takes a seat in the open flight of the key, if there is one.
    pub(super) fn join(&self, key: &str) -> Option<Seat<'_>> {
        let open = self.open();
        let flight = open.get(key)?.clone();
        Some(self.seat(flight))
    }

    /// A seat in this flight, which is open as long as the caller sees to it.
    fn seat(&self, flight: Arc<Flight>) -> Seat<'_> {
        flight.seats.fetch_add(1, Ordering::SeqCst);
        let joined = flight.round.load(Ordering::SeqCst);
        Seat { flights: self, flight, joined }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Flight>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, flight: &Arc<Flight>) {
        let mut open = self.open();
        if open.get(&flight.key).is_some_and(|current| Arc::ptr_eq(current, flight)) {
            open.remove(&flight.key);
        }
    }
}

impl Flight {
    fn new(key: &str, lease: Option<Lease>) -> Arc<Self> {
        Arc::new(Self {
            key: key.into(),
            seats: AtomicUsize::new(1),
            round: AtomicU64::new(0),
            state: tokio::sync::Mutex::new(State { lease, failures: 0, loaded: None }),
        })
    }
}

/// One reader's place in a flight.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    flights: &'a Flights,
    flight: Arc<Flight>,
    /// How many loads had begun when it was taken.
    joined: u64,
}

impl Seat<'_> {
    /// What is loaded.
    pub(super) fn key(&self) -> &str {
        &self.flight.key
    }

    /// Waits until nobody else is loading.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn { flight: &self.flight, state: self.flight.state.lock().await }
    }

    /// Lets nobody join any more.
    pub(super) fn close(&self) {
        self.flights.close(&self.flight);
    }

    /// Whether nobody else is in the flight.
    pub(super) fn is_alone(&self) -> bool {
        let _closed_meanwhile = self.flights.open();
        self.flight.seats.load(Ordering::SeqCst) == 1
    }
}

impl Drop for Seat<'_> {
    /// The last one gives the lease back, when all were dropped or failed.
    fn drop(&mut self) {
        {
            let mut open = self.flights.open();
            if self.flight.seats.fetch_sub(1, Ordering::SeqCst) > 1 {
                return;
            }
            if open.get(&self.flight.key).is_some_and(|open| Arc::ptr_eq(open, &self.flight)) {
                open.remove(&self.flight.key);
            }
        }
        let lease = self.flight.state.try_lock().ok().and_then(|mut state| state.lease.take());
        if let Some(lease) = lease
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (cache, key) = (self.flights.cache.clone(), self.flight.key.clone());
            runtime.spawn(async move {
                // When the cache is away, the lease ends by itself.
                let _ = cache.abandon(&key, &lease).await;
            });
        }
    }
}

/// The right to load, until dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    flight: &'a Flight,
    state: tokio::sync::MutexGuard<'a, State>,
}

impl Turn<'_> {
    /// What another one has loaded, if it is new enough for this seat.
    pub(super) fn result_for(&self, seat: &Seat<'_>) -> Option<Loaded> {
        let ((value, stored), round) = self.state.loaded.as_ref()?;
        (*stored || *round > seat.joined).then(|| (value.clone(), *stored))
    }

    /// How many loads have failed.
    pub(super) fn failures(&self) -> u32 {
        self.state.failures
    }

    /// A load begins now.
    pub(super) fn begins(&self) {
        self.flight.round.fetch_add(1, Ordering::SeqCst);
    }

    /// The lease, if it was not used yet; it stays for the next one, should this one be dropped.
    pub(super) fn lease(&self) -> Option<Lease> {
        self.state.lease.clone()
    }

    /// The lease, to be given back.
    pub(super) fn take_lease(&mut self) -> Option<Lease> {
        self.state.lease.take()
    }

    /// The load is done, and so is the lease.
    pub(super) fn done(&mut self, loaded: Loaded) {
        self.state.lease = None;
        self.state.loaded = Some((loaded, self.flight.round.load(Ordering::SeqCst)));
    }

    /// The load failed.
    pub(super) fn failed(&mut self) {
        self.state.failures += 1;
    }
}
