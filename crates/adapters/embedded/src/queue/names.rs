//! The queues that are known, and which of them are paused: one document each in `sys.queues`.
//!
//! A queue is written down when a process first sees a task of it, and again once a day while it is used; one
//! that was not used for a month is forgotten, unless it is paused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::index_value;
use outrigger_ports::queue::QueueError;
use outrigger_ports::store::{
    Batch, Document, Key, Order, Position, Precondition, Query, StoreError, Write,
};
use serde::{Deserialize, Serialize};

use super::{StoreQueue, fault};

const QUEUES: &str = "sys.queues";
/// How long a queue is known that nobody uses.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// How often it is written down again.
const REFRESHED: Duration = Duration::from_secs(86_400);
/// Most names that a process remembers to have written.
const REMEMBERED_MAX: usize = 10_000;
/// Most tries of a change of one document.
const TRIES: usize = 8;

/// When this process has written down which queue.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<String, Timestamp>>);

impl Names {
    fn is_fresh(&self, name: &str, now: Timestamp) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(name).is_some_and(|at| now.since(*at) < REFRESHED)
    }

    fn remember(&self, name: &str, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED_MAX {
            seen.clear();
        }
        seen.insert(name.to_owned(), now);
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct State {
    paused: bool,
}

fn state(document: Option<&Document>) -> State {
    document.and_then(|document| serde_json::from_slice(&document.body).ok()).unwrap_or_default()
}

fn key(name: &str) -> Key {
    Key::new(QUEUES, name)
}

/// Writes the queue down, if this process has not of late. Only a list depends on it, so it is tried
/// again with the next task when it fails.
pub(super) async fn ensure(queue: &StoreQueue, name: &str) {
    let now = queue.clock.now();
    if queue.names.is_fresh(name, now) {
        return;
    }
    match write(queue, name, None).await {
        Ok(()) => queue.names.remember(name, now),
        Err(error) => tracing::debug!(queue = name, %error, "a queue was not written down"),
    }
}

/// Whether nothing may be claimed.
pub(super) async fn is_paused(queue: &StoreQueue, name: &str) -> Result<bool, QueueError> {
    let document = queue.store.get(&key(name)).await.map_err(fault::of)?;
    Ok(state(document.as_ref()).paused)
}

/// Pauses the queue or lets it go on.
pub(super) async fn set_paused(
    queue: &StoreQueue,
    name: &str,
    paused: bool,
) -> Result<(), QueueError> {
    write(queue, name, Some(paused)).await?;
    if !paused {
        queue.wakeups.wake(name);
    }
    Ok(())
}

async fn write(queue: &StoreQueue, name: &str, paused: Option<bool>) -> Result<(), QueueError> {
    let mut refused = None;
    for _ in 0..TRIES {
        let found = queue.store.get(&key(name)).await.map_err(fault::of)?;
        let state = State { paused: paused.unwrap_or(state(found.as_ref()).paused) };
        let body =
            serde_json::to_vec(&state).map_err(|error| QueueError::Internal(error.into()))?;
        let write = Write::Put {
            key: key(name),
            body: Bytes::from(body),
            entries: Vec::new(),
            expires_at: (!state.paused).then(|| queue.clock.now().plus(KEPT)),
            precondition: found
                .map_or(Precondition::Absent, |document| Precondition::Version(document.version)),
        };
        match queue.store.commit(Batch::of([write])).await {
            Ok(_) => return Ok(()),
            Err(error @ StoreError::Precondition { .. }) => refused = Some(error),
            Err(error) => return Err(fault::of(error)),
        }
    }
    let refused = refused.map_or_else(|| "changed all the time".into(), Into::into);
    Err(QueueError::Unavailable(refused))
}

/// All queues that are known, by name, and whether they are paused.
pub(super) async fn all(queue: &StoreQueue) -> Result<Vec<(String, bool)>, QueueError> {
    let mut names = Vec::new();
    let mut after: Option<Position> = None;
    loop {
        let query = Query {
            collection: QUEUES,
            order: Order::Id,
            range: index_value::all(),
            descending: false,
            after: after.take(),
            limit: limits::QUERY_LIMIT_MAX,
            may_lag: false,
        };
        let page = queue.store.query(&query).await.map_err(fault::of)?;
        after = page.last().map(|found| found.position.clone());
        let full = page.len() == limits::QUERY_LIMIT_MAX;
        names.extend(page.into_iter().map(|found| {
            let paused = state(Some(&found.document)).paused;
            (found.document.key.id, paused)
        }));
        if !full {
            return Ok(names);
        }
    }
}
