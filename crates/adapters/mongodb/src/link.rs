//! The connection to one database: every call goes through here, and is tried again when that may
//! help.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::Counter;
use mongodb::bson::Timestamp;
use mongodb::{Client, ClientSession, Collection, Database};
use outrigger_kernel::{Random, random};
use outrigger_ports::store::StoreError;
use outrigger_ports::turns::Turns;
use tokio::time::Instant;

use crate::error::{Failure, Reason};
use crate::ready::Ready;
use crate::stored::Stored;
use crate::{MongoOptions, target};

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
    client: Client,
    pub(crate) database: Database,
    pub(crate) documents: Collection<Stored>,
    pub(crate) ready: Ready,
    pub(crate) turns: Turns,
    random: Arc<dyn Random>,
    pub(crate) patience: Duration,
    /// The latest time of the servers at which this handle has read or written.
    seen: Mutex<Option<Timestamp>>,
    conflicts: Counter,
    connections: Counter,
}

impl Link {
    pub(crate) async fn new(
        options: &MongoOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let (client, name) = target::parse(options).await?;
        let client = Client::with_options(client)
            .map_err(|error| StoreError::Unavailable(crate::error::words(&error).into()))?;
        let database = client.database(&name);
        let retries =
            |reason| metrics::counter!("outrigger_mongodb_retries_total", "reason" => reason);
        Ok(Self {
            documents: database.collection(DOCUMENTS),
            database,
            client,
            ready: Ready::default(),
            turns: Turns::default(),
            random,
            patience: options.patience,
            seen: Mutex::default(),
            conflicts: retries("conflict"),
            connections: retries("connection"),
        })
    }

    /// A session in which reads see all that this handle has seen and written, also when the primary
    /// is another one now.
    pub(crate) async fn session(&self) -> Result<ClientSession, Failure> {
        let session = self.client.start_session().causal_consistency(true).await;
        let mut session = session.map_err(|error| Failure::of(&error))?;
        if let Some(seen) = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            session.advance_operation_time(seen);
        }
        Ok(session)
    }

    /// A session in which a read sees what a majority has at one instant.
    pub(crate) async fn snapshot(&self) -> Result<ClientSession, Failure> {
        let session = self.client.start_session().snapshot(true).await;
        session.map_err(|error| Failure::of(&error))
    }

    /// Notes what a session has seen.
    pub(crate) fn saw(&self, session: &ClientSession) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = (*seen).max(session.operation_time());
    }

    /// When a call that begins now must have ended.
    pub(crate) fn budget(&self) -> Budget {
        Budget { until: Instant::now() + self.patience, tries: 0 }
    }

    /// Waits before another try, longer each time; `false` when there is no time left for one.
    pub(crate) async fn pause(&self, budget: &mut Budget, reason: Reason) -> bool {
        let most = PAUSE.saturating_mul(1 << budget.tries.min(8));
        let most = match reason {
            Reason::Connection => most.min(PAUSE_MAX),
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
            Reason::Connection => self.connections.increment(1),
            Reason::Conflict => self.conflicts.increment(1),
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
