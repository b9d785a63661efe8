//! The connections that all reads share: each carries many reads at once, one answer after the
//! other, and is opened again by itself when it ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use metrics::Gauge;
use outrigger_ports::store::StoreError;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::{Conn, Connector, Driver};
use super::error;
use super::statements::Which;
use crate::fault::Fault;

/// The wait before a connection is tried again, from the first to the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// A connection that lived this long did not fail at once.
const SETTLED: Duration = Duration::from_secs(1);

/// How long to wait before the next try; a little different for each `salt`, so that many do not
/// come at once.
pub(super) fn backoff(attempt: u32, salt: usize) -> Duration {
    let wait = BACKOFF.0.saturating_mul(1 << attempt.min(10)).min(BACKOFF.1);
    let share = u32::try_from(salt.wrapping_mul(37) % 50).unwrap_or(0);
    wait * (100 - share) / 100
}

/// The connections. Dropping it closes them.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Arc<Lane>>,
    connector: Arc<Connector>,
}

#[derive(Debug)]
struct Lane {
    current: Mutex<Current>,
    up: AtomicBool,
    idle: Gauge,
    used: Gauge,
    number: usize,
}

#[derive(Debug)]
enum Current {
    Up(Arc<Conn>),
    Down(String),
}

/// A read that is under way on a connection.
struct Flight<'a> {
    lane: &'a Lane,
    conn: Arc<Conn>,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, conn: Arc<Conn>) -> Flight<'_> {
        if conn.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            self.idle.decrement(1.0);
            self.used.increment(1.0);
        }
        Flight { lane: self, conn }
    }

    fn set(&self, current: Current) {
        let up = matches!(current, Current::Up(_));
        if self.up.swap(up, Ordering::Relaxed) != up {
            if up { self.idle.increment(1.0) } else { self.idle.decrement(1.0) }
        }
        *self.lock() = current;
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.conn.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.lane.used.decrement(1.0);
            self.lane.idle.increment(1.0);
        }
    }
}

impl Lanes {
    /// Opens `count` connections; the first must open, the others follow in the background.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the first does not open and `must_open`.
    pub(super) async fn open(
        connector: Arc<Connector>,
        count: usize,
        must_open: bool,
    ) -> Result<Self, StoreError> {
        let mut first = if must_open { Some(connector.open().await?) } else { None };
        let gauge = |state| metrics::gauge!("outrigger_database_connections", "kind" => "read", "state" => state);
        let lanes = (0..count.max(1))
            .map(|number| {
                let lane = Arc::new(Lane {
                    current: Mutex::new(Current::Down("not connected yet".to_owned())),
                    up: AtomicBool::new(false),
                    idle: gauge("idle"),
                    used: gauge("used"),
                    number,
                });
                let opened = first.take().map(|(conn, driver)| {
                    lane.set(Current::Up(conn));
                    driver
                });
                tokio::spawn(keep_open(Arc::downgrade(&lane), Arc::clone(&connector), opened));
                lane
            })
            .collect();
        Ok(Self { lanes, connector })
    }

    /// The open connection with the fewest reads under way.
    fn pick(&self) -> Result<Flight<'_>, StoreError> {
        let mut best: Option<(usize, &Lane, Arc<Conn>)> = None;
        let mut reason = String::new();
        for lane in &self.lanes {
            match &*lane.lock() {
                Current::Up(conn) if conn.is_open() => {
                    let load = conn.in_flight.load(Ordering::Relaxed);
                    if best.as_ref().is_none_or(|(least, ..)| load < *least) {
                        best = Some((load, lane, Arc::clone(conn)));
                    }
                }
                Current::Up(_) => reason.push_str("the connection was lost"),
                Current::Down(why) if reason.is_empty() => reason.push_str(why),
                Current::Down(_) => {}
            }
        }
        match best {
            Some((_, lane, conn)) => Ok(lane.begin(conn)),
            None => Err(StoreError::Unavailable(Fault::cause(reason))),
        }
    }

    /// Runs a read. When its connection is lost, it is tried once more on another one.
    pub(super) async fn read(
        &self,
        which: Which,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let flight = self.pick()?;
        let lost = match self.read_on(&flight.conn, which, params).await {
            Ok(rows) => return Ok(rows),
            Err((error, lost)) if !lost => return Err(error),
            Err((error, _)) => error,
        };
        drop(flight);
        let Ok(flight) = self.pick() else { return Err(lost) };
        self.read_on(&flight.conn, which, params).await.map_err(|(error, _)| error)
    }

    /// Runs a read on this connection; with an error, whether the connection is lost.
    async fn read_on(
        &self,
        conn: &Conn,
        which: Which,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, (StoreError, bool)> {
        let asking = async {
            let statement = conn.statement(which).await?;
            conn.client.query(statement, params).await
        };
        match timeout(self.connector.patience, asking).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                let lost = error::breaks_connection(&error);
                if lost {
                    conn.cut();
                }
                Err((error::of(&error), lost))
            }
            Err(_) => {
                // The server should have given up before: nobody is there, or the way is blocked.
                conn.cut();
                Err((StoreError::Timeout, false))
            }
        }
    }

    /// Runs SQL text on one of the connections, for `doctor`.
    pub(super) async fn ask(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let flight = self.pick()?;
        match timeout(self.connector.patience, flight.conn.client.query(sql, params)).await {
            Ok(answer) => answer.map_err(|error| error::of(&error)),
            Err(_) => Err(StoreError::Timeout),
        }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        self.lanes.iter().any(|lane| lane.up.load(Ordering::Relaxed))
    }
}

/// Keeps one connection open for as long as the lane is there.
async fn keep_open(lane: Weak<Lane>, connector: Arc<Connector>, mut opened: Option<Driver>) {
    let mut attempt = 0;
    let salt = lane.upgrade().map_or(0, |lane| lane.number);
    loop {
        let driver = match opened.take() {
            Some(driver) => driver,
            None => match connector.open().await {
                Ok((conn, driver)) => {
                    let Some(lane) = lane.upgrade() else { return };
                    if attempt > 0 {
                        tracing::info!("the database is back");
                    }
                    lane.set(Current::Up(conn));
                    driver
                }
                Err(error) => {
                    let Some(lane) = lane.upgrade() else { return };
                    if attempt == 0 {
                        tracing::warn!(%error, "no connection to the database");
                    }
                    lane.set(Current::Down(error.to_string()));
                    drop(lane);
                    sleep(backoff(attempt, salt)).await;
                    attempt = attempt.saturating_add(1);
                    continue;
                }
            },
        };
        let started = Instant::now();
        driver.await;
        let Some(lane) = lane.upgrade() else { return };
        lane.set(Current::Down("the connection was lost".to_owned()));
        drop(lane);
        if started.elapsed() < SETTLED {
            sleep(backoff(attempt, salt)).await;
            attempt = attempt.saturating_add(1);
        } else {
            attempt = 0;
        }
    }
}

/// A number for each thing that counts its tries.
pub(super) fn next_salt() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
