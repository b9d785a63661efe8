//! The connections that all reads share: each carries many reads at once, one answer after the
//! other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_ports::store::StoreError;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::{Conn, Connector};
use super::error;
use super::lane::{Current, Flight, Lane};
use super::statements::Which;
use crate::fault::Fault;

/// How long a read waits for a connection that has just been lost to be opened again: as long as a
/// commit does. It takes several tries when the password has just been changed.
const REOPENING: Duration = Duration::from_secs(3);

/// The connections. Dropping it closes them.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Vec<Arc<Lane>>,
    changed: Arc<Notify>,
    connector: Arc<Connector>,
}

impl Lanes {
    /// Opens `count` connections. With `must_open` the first must open; the others follow in the
    /// background.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the first must open and does not.
    pub(super) async fn open(
        connector: Arc<Connector>,
        count: usize,
        must_open: bool,
    ) -> Result<Self, StoreError> {
        let mut first = if must_open { Some(connector.open().await?) } else { None };
        let changed = Arc::new(Notify::new());
        let all = (0..count.max(1))
            .map(|number| {
                Lane::start(first.take(), Arc::clone(&connector), Arc::clone(&changed), number)
            })
            .collect();
        Ok(Self { all, changed, connector })
    }

    /// The open connection with the fewest reads under way; without one, whether one is being
    /// opened for the first time, and why there is none.
    fn choose(&self) -> Result<Flight<'_>, (bool, String)> {
        let mut best: Option<(usize, &Lane, Arc<Conn>)> = None;
        let (mut opening, mut reason) = (false, "the connection was lost".to_owned());
        for lane in &self.all {
            match &*lane.lock() {
                Current::Up(conn) if conn.is_open() => {
                    let load = conn.in_flight.load(Ordering::Relaxed);
                    if best.as_ref().is_none_or(|(least, ..)| load < *least) {
                        best = Some((load, lane, Arc::clone(conn)));
                    }
                }
                Current::Up(_) | Current::Opening => opening = true,
                Current::Down(why) => reason.clone_from(why),
            }
        }
        best.map(|(_, lane, conn)| lane.begin(conn)).ok_or((opening, reason))
    }

    /// As [`Lanes::choose`]; waits a moment when one is being opened.
    async fn pick(&self) -> Result<Flight<'_>, StoreError> {
        if let Ok(flight) = self.choose() {
            return Ok(flight);
        }
        let deadline = Instant::now() + REOPENING;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let (opening, reason) = match self.choose() {
                Ok(flight) => return Ok(flight),
                Err(none) => none,
            };
            if !opening || timeout_at(deadline, changed).await.is_err() {
                return Err(StoreError::Unavailable(Fault::cause(reason)));
            }
        }
    }

    /// Runs a read. When its connection is lost, it is tried again on another one: once more than there
    /// are, for all of them may have been lost at once.
    pub(super) async fn read(
        &self,
        which: Which,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let mut flight = self.pick().await?;
        for _ in 0..self.all.len() {
            let lost = match self.read_on(&flight.conn, which, params).await {
                Ok(rows) => return Ok(rows),
                Err((error, lost)) if !lost => return Err(error),
                Err((error, _)) => error,
            };
            drop(flight);
            flight = self.pick().await.map_err(|_| lost)?;
        }
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
        let flight = self.pick().await?;
        match timeout(self.connector.patience, flight.conn.client.query(sql, params)).await {
            Ok(answer) => answer.map_err(|error| error::of(&error)),
            Err(_) => Err(StoreError::Timeout),
        }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        self.all.iter().any(|lane| matches!(&*lane.lock(), Current::Up(conn) if conn.is_open()))
    }
}

/// A number for each thing that counts its tries.
pub(super) fn next_salt() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
