//! Claims tasks for a worker, and waits for some.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{join_all, try_join};
use outrigger_ports::queue::{Claim, KindLimits, Leased, QueueError};
use outrigger_ports::store::Order;

use super::{StoreQueue, fault, lane, names, turn};

/// The pause between two looks grows to this while nothing comes.
const POLL_MAX: Duration = Duration::from_secs(1);

/// Claims.
pub(super) async fn run(queue: &StoreQueue, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError> {
    claim.check()?;
    let news = queue.wakeups.news(claim.queue);
    let taken = from_lanes(queue, claim).await;
    match &taken {
        Ok(leased) if leased.is_empty() => _ = queue.idle.fetch_add(1, Ordering::Relaxed),
        Ok(_) => {
            queue.idle.store(0, Ordering::Relaxed);
            // Only now: a name that somebody asks for writes nothing.
            names::ensure(queue, claim.queue).await;
        }
        Err(_) => queue.idle.store(0, Ordering::Relaxed),
    }
    if taken.as_ref().map_or(true, |leased| leased.len() < claim.limit) {
        queue.seen.all(claim.queue, news);
    }
    taken
}

/// Serves the kinds in turn: each gets an equal part of what is wanted, and what one has not is
/// divided among the others. Which one is first changes from claim to claim.
async fn from_lanes(queue: &StoreQueue, claim: &Claim<'_>) -> Result<Vec<Leased>, QueueError> {
    let paused = names::is_paused(queue, claim.queue);
    let (paused, empty) = try_join(paused, is_empty(queue, claim)).await?;
    if paused || empty {
        return Ok(Vec::new());
    }
    let mut lanes = in_rotation(queue, claim.kinds);
    let mut leased: Vec<Leased> = Vec::new();
    let mut failed = None;
    while leased.len() < claim.limit && !lanes.is_empty() && failed.is_none() {
        let want = claim.limit - leased.len();
        let (each, more) = (want / lanes.len(), want % lanes.len());
        let shares = lanes.iter().enumerate().map(|(at, kind)| async move {
            let share = each + usize::from(at < more);
            let taken = if share == 0 {
                Ok(Vec::new())
            } else {
                lane::take(queue, claim, kind, share).await
            };
            (share, taken)
        });
        let outcomes = join_all(shares).await;
        let mut left = Vec::with_capacity(lanes.len());
        for (kind, (share, outcome)) in lanes.into_iter().zip(outcomes) {
            match outcome {
                // Who gave all that was asked for may have more.
                Ok(taken) => {
                    left.extend((taken.len() == share).then_some(kind));
                    leased.extend(taken);
                }
                Err(error) => failed = Some(error),
            }
        }
        lanes = left;
    }
    match failed {
        Some(error) if leased.is_empty() => Err(error),
        Some(error) => {
            tracing::warn!(%error, "a part of a claim failed");
            Ok(leased)
        }
        None => Ok(leased),
    }
}

/// The kinds, beginning with another one each time.
fn in_rotation<'a>(queue: &StoreQueue, kinds: &'a [KindLimits]) -> Vec<&'a KindLimits> {
    let count = u32::try_from(kinds.len()).unwrap_or(1).max(1);
    let first = queue.rotation.fetch_add(1, Ordering::Relaxed) % count;
    let (before, from) = kinds.split_at(kinds.len().min(first as usize));
    from.iter().chain(before).collect()
}

/// One look instead of one for each kind: whether nothing at all waits in the queue.
async fn is_empty(queue: &StoreQueue, claim: &Claim<'_>) -> Result<bool, QueueError> {
    if claim.kinds.len() < 2 {
        return Ok(claim.kinds.is_empty());
    }
    let query = StoreQueue::tasks(Order::Index(turn::TURN), turn::queue(claim.queue), 1);
    Ok(queue.store.query(&query).await.map_err(fault::of)?.is_empty())
}

/// Waits until a claim may find something, at most for `most`.
pub(super) async fn wait(queue: &StoreQueue, queues: &[String], most: Duration) {
    let behind = || queues.iter().any(|name| queue.seen.is_behind(&queue.wakeups, name));
    let known: Vec<u64> = queues.iter().map(|name| queue.wakeups.news(name)).collect();
    let is_new =
        || queues.iter().zip(&known).any(|(name, known)| queue.wakeups.news(name) > *known);
    let idle = queue.idle.load(Ordering::Relaxed).min(5);
    let pause = (queue.poll * 2_u32.pow(idle)).min(POLL_MAX.max(queue.poll)).min(most);
    let news = async {
        loop {
            let mut next = std::pin::pin!(queue.wakeups.next());
            next.as_mut().enable();
            if is_new() || behind() {
                return;
            }
            next.await;
        }
    };
    // Either way there may be something now.
    let _ = tokio::time::timeout(pause, news).await;
}
