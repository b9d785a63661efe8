//! Kinds that may run only so often: at once, or in a time, on all workers together.
//!
//! How many run is what the index `limited` finds. Each claim of such a kind also puts the kind's
//! document in `sys.task_limits`, in the same batch and expecting the version that was read before
//! the tasks were counted: of two claims that counted the same, one is refused. A lost worker's
//! place is free when its task is given back.

use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::index_value;
use outrigger_ports::limiter::{Quota, State, decide};
use outrigger_ports::queue::{KindLimits, QueueError};
use outrigger_ports::store::{Key, Order, Position, Precondition, Query, Write};
use serde::{Deserialize, Serialize};

use super::{StoreQueue, fault, turn};

const LIMITS: &str = "sys.task_limits";
/// How long a kind's document is kept after the last claim, at least.
const KEPT: Duration = Duration::from_secs(86_400);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Body {
    /// The theoretical arrival time of the rate, in microseconds.
    tat: i64,
}

/// How many of a kind may be claimed now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit {
    /// So many.
    pub(super) most: usize,
    tat: i64,
    precondition: Precondition,
    now: Timestamp,
}

/// Whether the kind has a limit.
pub(super) fn is_limited(limits: &KindLimits) -> bool {
    limits.concurrency.is_some() || limits.rate.is_some()
}

fn quota(limits: &KindLimits) -> Option<Quota> {
    limits.rate.map(|(limit, period)| Quota { limit, period, escalation: None })
}

/// How many of the kind may be claimed, `most` of them at most.
pub(super) async fn permit(
    queue: &StoreQueue,
    limits: &KindLimits,
    most: usize,
) -> Result<Permit, QueueError> {
    let key = Key::new(LIMITS, limits.kind.as_str());
    let document = queue.store.get(&key).await.map_err(fault::of)?;
    let now = queue.clock.now();
    let precondition =
        document.as_ref().map_or(Precondition::Absent, |doc| Precondition::Version(doc.version));
    let body: Body = document
        .and_then(|document| serde_json::from_slice(&document.body).ok())
        .unwrap_or_default();
    let mut permit = Permit { most, tat: body.tat, precondition, now };
    if let Some(quota) = quota(limits) {
        permit.most = permit.after(&quota, most).0;
    }
    if let Some(concurrency) = limits.concurrency
        && permit.most > 0
    {
        let concurrency = usize::try_from(concurrency).unwrap_or(usize::MAX);
        let running = running(queue, &limits.kind, concurrency).await?;
        permit.most = permit.most.min(concurrency.saturating_sub(running));
    }
    Ok(permit)
}

impl Permit {
    /// How many of `wanted` the rate allows, and what is kept then.
    fn after(&self, quota: &Quota, wanted: usize) -> (usize, i64) {
        let mut state = State { tat: self.tat, ..State::default() };
        for count in 0..wanted {
            let (decision, next) = decide(state, self.now.as_micros(), quota, 1);
            if !decision.allowed {
                return (count, state.tat);
            }
            state = next;
        }
        (wanted, state.tat)
    }

    /// The write that goes with the claim of `count` tasks.
    pub(super) fn take(&mut self, limits: &KindLimits, count: usize) -> Result<Write, QueueError> {
        let quota = quota(limits);
        let tat = quota.map_or(0, |quota| self.after(&quota, count).1);
        let kept = limits.rate.map_or(KEPT, |(_, period)| KEPT.max(period * 2));
        let body = serde_json::to_vec(&Body { tat })
            .map_err(|error| QueueError::Internal(error.into()))?;
        self.tat = tat;
        Ok(Write::Put {
            key: Key::new(LIMITS, limits.kind.as_str()),
            body: Bytes::from(body),
            entries: Vec::new(),
            expires_at: Some(self.now.plus(kept)),
            precondition: self.precondition,
        })
    }

    /// The claim was committed, and the document has this version now.
    pub(super) fn taken(&mut self, version: u64) {
        self.precondition = Precondition::Version(version);
    }
}

/// How many tasks of the kind run, counted up to `most`.
async fn running(queue: &StoreQueue, kind: &str, most: usize) -> Result<usize, QueueError> {
    let mut count = 0;
    let mut after: Option<Position> = None;
    while count < most {
        let limit = (most - count).min(limits::QUERY_LIMIT_MAX);
        let range = index_value::exactly(kind.as_bytes().to_vec());
        let query = Query {
            after: after.take(),
            ..StoreQueue::tasks(Order::Index(turn::LIMITED), range, limit)
        };
        let page = queue.store.query(&query).await.map_err(fault::of)?;
        count += page.len();
        if page.len() < limit {
            break;
        }
        after = page.last().map(|found| found.position.clone());
    }
    Ok(count)
}
