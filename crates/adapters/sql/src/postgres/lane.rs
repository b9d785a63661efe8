//! One connection that many reads share, opened again by itself when it ends.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use metrics::Gauge;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::connect::{Conn, Connector, Driver};

/// The wait before a connection is tried again, from the first to the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// A connection that did not live this long is not opened again at once.
const SETTLED: Duration = Duration::from_secs(1);

/// How long to wait before the next try; a little different for each `salt`, so that many do not
/// come at once.
pub(super) fn backoff(attempt: u32, salt: usize) -> Duration {
    let wait = BACKOFF.0.saturating_mul(1 << attempt.min(10)).min(BACKOFF.1);
    let share = u32::try_from(salt.wrapping_mul(37) % 50).unwrap_or(0);
    wait * (100 - share) / 100
}

/// A place for a connection. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Lane {
    current: Mutex<Current>,
    changed: Arc<Notify>,
    idle: Gauge,
    used: Gauge,
}

/// What is in the place.
#[derive(Debug, Clone)]
pub(super) enum Current {
    /// An open connection, or one whose end has not been seen yet.
    Up(Arc<Conn>),
    /// The first try to open one is under way.
    Opening,
    /// Why the last try failed.
    Down(String),
}

/// A read that is under way on a connection.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    lane: &'a Lane,
    pub(super) conn: Arc<Conn>,
}

impl Lane {
    /// A lane with this connection, or without one yet; `changed` is told of every change.
    pub(super) fn start(
        opened: Option<(Arc<Conn>, Driver)>,
        connector: Arc<Connector>,
        changed: Arc<Notify>,
        number: usize,
    ) -> Arc<Self> {
        let gauge = |state| metrics::gauge!("outrigger_database_connections", "kind" => "read", "state" => state);
        let lane = Arc::new(Self {
            current: Mutex::new(Current::Opening),
            changed,
            idle: gauge("idle"),
            used: gauge("used"),
        });
        let driver = opened.map(|(conn, driver)| {
            lane.set(Current::Up(conn));
            driver
        });
        tokio::spawn(keep_open(Arc::downgrade(&lane), connector, driver, number));
        lane
    }

    /// What is in it now.
    pub(super) fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a read on its connection.
    pub(super) fn begin(&self, conn: Arc<Conn>) -> Flight<'_> {
        if conn.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            self.idle.decrement(1.0);
            self.used.increment(1.0);
        }
        Flight { lane: self, conn }
    }

    fn set(&self, current: Current) {
        let up = matches!(current, Current::Up(_));
        let before = std::mem::replace(&mut *self.lock(), current);
        match (matches!(before, Current::Up(_)), up) {
            (false, true) => self.idle.increment(1.0),
            (true, false) => self.idle.decrement(1.0),
            _ => {}
        }
        self.changed.notify_waiters();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if matches!(&*self.lock(), Current::Up(_)) {
            self.idle.decrement(1.0);
        }
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

/// Keeps a connection in the lane for as long as the lane is there.
async fn keep_open(
    lane: Weak<Lane>,
    connector: Arc<Connector>,
    mut opened: Option<Driver>,
    salt: usize,
) {
    let mut failed = 0;
    loop {
        let driver = match opened.take() {
            Some(driver) => driver,
            None => {
                let opened = connector.open().await;
                let Some(lane) = lane.upgrade() else { return };
                match opened {
                    Ok((conn, driver)) => {
                        if failed > 0 {
                            tracing::info!("the database is back");
                        }
                        failed = 0;
                        lane.set(Current::Up(conn));
                        driver
                    }
                    Err(error) => {
                        if failed == 0 {
                            tracing::warn!(%error, "no connection to the database");
                        }
                        lane.set(Current::Down(error.to_string()));
                        drop(lane);
                        sleep(backoff(failed, salt)).await;
                        failed = failed.saturating_add(1);
                        continue;
                    }
                }
            }
        };
        let since = Instant::now();
        driver.await;
        let Some(lane) = lane.upgrade() else { return };
        lane.set(Current::Opening);
        drop(lane);
        if since.elapsed() < SETTLED {
            sleep(backoff(0, salt)).await;
        }
    }
}
