//! The connections for commits: each carries one at a time, is opened when it is needed and closed
//! when it is not.
//!
//! While the server is away one task keeps trying and every commit fails at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use metrics::{Gauge, Histogram};
use outrigger_ports::store::StoreError;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::PostgresOptions;
use super::connect::{Conn, Connector};
use super::lane::backoff;
use super::lanes::next_salt;
use crate::fault::Fault;

/// Most commits that wait for a connection of this handle.
const WAITING_MAX: usize = 4096;

/// The pool; clones share it. Dropping the last closes its connections.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connector: Arc<Connector>,
    most: usize,
    acquire_timeout: Duration,
    idle_timeout: Duration,
    state: Mutex<State>,
    idle: Gauge,
    used: Gauge,
    waited: Histogram,
}

#[derive(Debug, Default)]
struct State {
    /// The last is taken first, so that those at the front grow old when there is little to do.
    idle: Vec<(Arc<Conn>, Instant)>,
    waiting: VecDeque<oneshot::Sender<Lease>>,
    open: usize,
    opening: usize,
    /// Why there is no connection, while there is none.
    down: Option<String>,
}

/// The use of a connection; gives it back when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    conn: Option<Arc<Conn>>,
    pool: Arc<Shared>,
}

impl Lease {
    /// The connection.
    pub(super) fn conn(&self) -> &Arc<Conn> {
        self.conn.as_ref().expect("a lease has its connection until it is dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.pool.used.decrement(1.0);
            self.pool.idle.increment(1.0);
            self.pool.give(conn);
        }
    }
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, options: &PostgresOptions) -> Self {
        let gauge = |state| metrics::gauge!("outrigger_database_connections", "kind" => "write", "state" => state);
        Self(Arc::new(Shared {
            connector,
            most: options.write_connections.max(1),
            acquire_timeout: options.acquire_timeout,
            idle_timeout: options.idle_timeout,
            state: Mutex::default(),
            idle: gauge("idle"),
            used: gauge("used"),
            waited: metrics::histogram!("outrigger_database_wait_seconds"),
        }))
    }

    /// A connection for one commit.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none in time, at once while the server is away.
    pub(super) async fn acquire(&self) -> Result<Lease, StoreError> {
        let waiting = match self.0.take()? {
            Taken::Lease(lease) => {
                self.0.waited.record(0.0);
                return Ok(lease);
            }
            Taken::Wait(waiting) => waiting,
        };
        let started = Instant::now();
        let lease = timeout(self.0.acquire_timeout, waiting).await;
        self.0.waited.record(started.elapsed().as_secs_f64());
        match lease {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(_)) => Err(unavailable(
                self.0.lock().down.clone().unwrap_or_else(|| "no connection".to_owned()),
            )),
            Err(_) => Err(unavailable(format!(
                "none of {} connections for commits was free within {:?}",
                self.0.most, self.0.acquire_timeout
            ))),
        }
    }
}

fn unavailable(what: String) -> StoreError {
    StoreError::Unavailable(Fault::cause(what))
}

enum Taken {
    Lease(Lease),
    Wait(oneshot::Receiver<Lease>),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(self: &Arc<Self>, conn: Arc<Conn>) -> Lease {
        self.idle.decrement(1.0);
        self.used.increment(1.0);
        Lease { conn: Some(conn), pool: Arc::clone(self) }
    }

    fn take(self: &Arc<Self>) -> Result<Taken, StoreError> {
        let mut state = self.lock();
        while let Some((conn, _)) = state.idle.pop() {
            // One that has ended is only dropped here: its driver counts it out.
            if conn.is_open() {
                return Ok(Taken::Lease(self.lease(conn)));
            }
        }
        if let Some(why) = &state.down {
            return Err(unavailable(why.clone()));
        }
        if state.waiting.len() >= WAITING_MAX {
            return Err(unavailable(format!("{WAITING_MAX} commits wait already")));
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        if state.open + state.opening < self.most && state.opening < state.waiting.len() {
            state.opening += 1;
            tokio::spawn(keep_open(Arc::downgrade(self), Arc::clone(&self.connector)));
        }
        Ok(Taken::Wait(receiver))
    }

    /// Hands a free connection to whoever waits longest, or keeps it.
    fn give(self: &Arc<Self>, conn: Arc<Conn>) {
        if !conn.is_open() {
            return;
        }
        let mut old = None;
        let mut state = self.lock();
        let mut conn = conn;
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(self.lease(conn)) {
                Ok(()) => return,
                Err(mut refused) => {
                    // Taken out of the lease, so that dropping it does not come here again.
                    let Some(back) = refused.conn.take() else { return };
                    self.used.decrement(1.0);
                    self.idle.increment(1.0);
                    conn = back;
                }
            }
        }
        let now = Instant::now();
        state.idle.push((conn, now));
        if state.idle.len() > 1 && now - state.idle[0].1 > self.idle_timeout {
            old = Some(state.idle.remove(0));
        }
        drop(state);
        drop(old);
    }

    /// Counts a connection in and hands it out.
    fn opened(self: &Arc<Self>, conn: Arc<Conn>) {
        {
            let mut state = self.lock();
            state.opening -= 1;
            state.open += 1;
            state.down = None;
        }
        self.idle.increment(1.0);
        self.give(conn);
    }

    /// Counts a connection out; true when there is none left, so that another must be opened.
    fn closed(&self) -> bool {
        let mut state = self.lock();
        self.idle.decrement(1.0);
        state.open -= 1;
        state.idle.retain(|(conn, _)| conn.is_open());
        let none = state.open + state.opening == 0;
        if none {
            state.opening = 1;
        }
        none
    }

    /// Notes that no connection could be opened; true when it should be tried again here.
    fn failed(&self, why: String) -> bool {
        let mut state = self.lock();
        if state.open > 0 || state.opening > 1 {
            state.opening -= 1;
            return false;
        }
        state.down = Some(why);
        // Whoever waits is told, by the loss of the sender.
        state.waiting.clear();
        true
    }
}

/// Opens a connection and sees it to its end; when it was the last, opens another.
async fn keep_open(pool: Weak<Shared>, connector: Arc<Connector>) {
    let salt = next_salt();
    let mut attempt = 0;
    loop {
        let opened = connector.open().await;
        let Some(shared) = pool.upgrade() else { return };
        match opened {
            Ok((conn, driver)) => {
                attempt = 0;
                shared.opened(conn);
                drop(shared);
                driver.await;
                let Some(shared) = pool.upgrade() else { return };
                if !shared.closed() {
                    return;
                }
            }
            Err(error) => {
                if !shared.failed(error.to_string()) {
                    return;
                }
                drop(shared);
                sleep(backoff(attempt, salt)).await;
                attempt += 1;
            }
        }
    }
}
