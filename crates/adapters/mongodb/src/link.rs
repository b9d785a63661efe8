//! The connection to one database: every call goes through here, and is tried again when that may
//! help.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::Counter;
use mongodb::ClientSession;
use mongodb::bson::Timestamp;
use mongodb::event::EventHandler;
use mongodb::event::cmap::{CmapEvent, ConnectionClosedReason};
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_kernel::{Random, random};
use outrigger_ports::secrets::Followed;
use outrigger_ports::store::StoreError;
use outrigger_ports::turns::Turns;
use tokio::time::{Instant, timeout_at};

use crate::MongoOptions;
use crate::error::{Failure, Reason};
use crate::reached::Reached;
use crate::ready::Ready;
use crate::target;

/// The collection that has the documents.
pub(crate) const DOCUMENTS: &str = "documents";
/// The pause before the second try is at most this, and doubles with each.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// What the driver itself gives up in time says more than that the time is over.
const GRACE: Duration = Duration::from_millis(300);

/// A database, and how it is reached.
#[derive(Debug)]
pub(crate) struct Link {
    options: MongoOptions,
    reached: Followed<Reached>,
    following: tokio::sync::Mutex<()>,
    pub(crate) ready: Ready,
    pub(crate) turns: Turns,
    random: Arc<dyn Random>,
    pub(crate) patience: Duration,
    /// The latest time of the servers at which this handle has read or written.
    seen: Mutex<Option<Timestamp>>,
    broken: Broken,
    conflicts: Counter,
    connections: Counter,
}

/// A session, and the client that it is of.
pub(crate) struct Session {
    pub(crate) at: Arc<Reached>,
    pub(crate) client: ClientSession,
}

impl Link {
    pub(crate) async fn new(
        options: &MongoOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let broken = Broken::default();
        let url = target::connection_string(options.url.current().expose_secret())?;
        let reached = Reached::of(url, options, &broken).await;
        let retries =
            |reason| metrics::counter!("outrigger_mongodb_retries_total", "reason" => reason);
        Ok(Self {
            reached: Followed::new(options.url.clone(), "MongoDB", |_| reached)?,
            options: options.clone(),
            following: tokio::sync::Mutex::default(),
            ready: Ready::default(),
            turns: Turns::default(),
            random,
            patience: options.patience,
            seen: Mutex::default(),
            broken,
            conflicts: retries("conflict"),
            connections: retries("connection"),
        })
    }

    /// The database, as it is reached now.
    pub(crate) fn reached(&self) -> Arc<Reached> {
        self.reached.way()
    }

    /// Who signed in with this was refused: goes by what the URL says now, and has it looked up again
    /// first unless that is something new. The driver keeps who signs in, so it is another client.
    async fn follow(&self, refused: &Arc<Reached>) {
        // Of many who were refused, one makes the client.
        let _turn = self.following.lock().await;
        if !Arc::ptr_eq(refused, &self.reached()) {
            return;
        }
        if self.reached.changed().is_none() {
            self.reached.renew().await;
        }
        let Some(url) = self.reached.changed() else { return };
        let next = match target::connection_string(url.expose_secret()) {
            Ok(parsed) => Reached::of(parsed, &self.options, &self.broken).await,
            Err(error) => return self.reached.follow(url, Err(error)),
        };
        match next {
            Ok(next) => self.reached.follow(url, Ok::<_, StoreError>(next)),
            // Names cannot be looked up, for now: whoever is refused next tries again.
            Err(error) => tracing::warn!(%error, "the new URL of MongoDB cannot be followed yet"),
        }
    }

    /// A session in which reads see all that this handle has seen and written, also when the primary
    /// is another one now.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let at = self.reached();
        let session = at.client.start_session().causal_consistency(true).await;
        let mut client = session.map_err(|error| Failure::of(&error))?;
        if let Some(seen) = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            client.advance_operation_time(seen);
        }
        Ok(Session { at, client })
    }

    /// A session in which a read sees what a majority has at one instant.
    pub(crate) async fn snapshot(&self) -> Result<Session, Failure> {
        let at = self.reached();
        let session = at.client.start_session().snapshot(true).await;
        Ok(Session { client: session.map_err(|error| Failure::of(&error))?, at })
    }

    /// Notes what a session has seen.
    pub(crate) fn saw(&self, session: &Session) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = (*seen).max(session.client.operation_time());
    }

    /// How many connections broke so far while they were used. When it is more after a write than before it,
    /// what the driver says of the write may be of a second try of its own, after an answer was lost.
    pub(crate) fn broken(&self) -> u64 {
        self.broken.0.load(Ordering::Relaxed)
    }

    /// When a call that begins now must have ended.
    pub(crate) fn budget(&self) -> Budget {
        Budget { until: Instant::now() + self.patience, tries: 0 }
    }

    /// Waits before another try, longer each time; `false` when there is no time left for one.
    pub(crate) async fn pause(&self, budget: &mut Budget, reason: Reason) -> bool {
        let most = PAUSE.saturating_mul(1 << budget.tries.min(8));
        let most = match reason {
            Reason::Connection | Reason::Refused => most.min(PAUSE_MAX),
            // Others are soon done.
            Reason::Conflict => most.min(PAUSE),
        };
        budget.tries += 1;
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let pause = Duration::from_micros(random::below(&*self.random, micros) + 1);
        if Instant::now() + pause >= budget.until {
            return false;
        }
        match reason {
            Reason::Connection | Reason::Refused => self.connections.increment(1),
            Reason::Conflict => self.conflicts.increment(1),
        }
        if reason == Reason::Refused {
            let reached = self.reached();
            if timeout_at(budget.until, self.follow(&reached)).await.is_err() {
                return false;
            }
        }
        tokio::time::sleep(pause).await;
        true
    }

    /// Reads until it is answered or the time is over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Timeout`], and what the servers say.
    pub(crate) async fn ask<T, F>(&self, read: impl Fn(Budget) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.ask_within(self.patience, read).await
    }

    /// The same with another time.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn ask_within<T, F>(
        &self,
        patience: Duration,
        read: impl Fn(Budget) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut budget = Budget { until: Instant::now() + patience, tries: 0 };
        loop {
            let failure = match read(budget).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(reason) = failure.reason() else { return Err(failure.into_error(false)) };
            if !self.pause(&mut budget, reason).await {
                return Err(failure.into_error(false));
            }
        }
    }
}

/// How many connections broke while they were used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken(Arc<AtomicU64>);

impl Broken {
    /// Counts those of a client: the driver takes a broken one back before it gives out the next.
    pub(crate) fn handler(&self) -> EventHandler<CmapEvent> {
        let Self(broken) = self.clone();
        EventHandler::callback(move |event| match event {
            CmapEvent::ConnectionClosed(closed)
                if closed.reason == ConnectionClosedReason::Error =>
            {
                broken.fetch_add(1, Ordering::Relaxed);
            }
            CmapEvent::PoolCleared(_) => {
                broken.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        })
    }
}

/// How long a call may still try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    until: Instant,
    tries: u32,
}

impl Budget {
    /// One step of the call.
    ///
    /// # Errors
    /// What the driver says, or [`Failure::Late`].
    pub(crate) async fn spend<T>(
        self,
        step: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout_at(self.until + GRACE, step.into_future()).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::Late),
        }
    }
}
