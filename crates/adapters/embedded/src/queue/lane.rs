//! Claims from one lane: the queued tasks of one queue and kind.
//!
//! Claimers of one process reserve what they are about to claim, so they never meet. Those of
//! different processes may: a refused batch was somebody else's claim. The loser takes from a random
//! place among the next tasks of the same priority, and does so for a while (`crowd.rs`): many
//! claimers spread instead of meeting again, and greater priorities still go first. A claimer that
//! is alone takes strictly in order.

use futures_util::future::join_all;
use outrigger_kernel::{Timestamp, limits, random};
use outrigger_ports::queue::Lease;
use outrigger_ports::queue::{Claim, KindLimits, Leased, QueueError};
use outrigger_ports::store::{Batch, Found, Order, Precondition, StoreError, Write, pieces};

use super::enqueue::read;
use super::limited::{self, Permit};
use super::stored::Stored;
use super::update::pause;
use super::{StoreQueue, change, fault, turn};

/// Most looks at a lane in one claim.
const TRIES: u32 = 8;
/// Where claimers spread, they look at so many tasks at most, or four times what they want.
const WINDOW: usize = 200;

/// A task that is about to be claimed.
struct Candidate {
    write: Write,
    leased: Leased,
}

impl Candidate {
    fn body_bytes(&self) -> usize {
        self.write.body_bytes()
    }
}

/// Claims up to `want` tasks; fewer when there are no more, or others are at them all the time.
pub(super) async fn take(
    queue: &StoreQueue,
    claim: &Claim<'_>,
    kind: &KindLimits,
    want: usize,
) -> Result<Vec<Leased>, QueueError> {
    let mut leased = Vec::new();
    for tries in 0..TRIES {
        let look = match look(queue, claim, kind, want - leased.len()).await {
            Err(error) if !leased.is_empty() => {
                tracing::warn!(%error, "a claim ended early");
                break;
            }
            look => look?,
        };
        leased.extend(look.leased);
        queue.crowd.noticed(look.met);
        if !look.met || leased.len() == want {
            break;
        }
        pause(queue, tries).await;
    }
    Ok(leased)
}

/// What one look has brought.
struct Look {
    leased: Vec<Leased>,
    /// Somebody else was at the same tasks.
    met: bool,
}

async fn look(
    queue: &StoreQueue,
    claim: &Claim<'_>,
    kind: &KindLimits,
    want: usize,
) -> Result<Look, QueueError> {
    let mut permit = None;
    let mut most = want;
    if limited::is_limited(kind) {
        let allowed = limited::permit(queue, kind, want).await?;
        most = allowed.most;
        permit = Some(allowed);
    }
    if most == 0 {
        return Ok(Look { leased: Vec::new(), met: false });
    }
    // Who claims a limited kind meets others at its limits, wherever the tasks are.
    let window = if permit.is_some() { most } else { most * queue.crowd.spread() };
    let window = window.min(WINDOW.max(4 * most));
    let limit = (window + queue.wakeups.reserved()).min(limits::QUERY_LIMIT_MAX);
    let range = turn::lane(claim.queue, &kind.kind);
    let query = StoreQueue::tasks(Order::Index(turn::TURN), range, limit);
    let mut found = queue.store.query(&query).await.map_err(fault::of)?;
    if window > most {
        let first = found.first().map(|found| turn::class(&found.position.value).to_vec());
        let alike = |found: &&Found| Some(turn::class(&found.position.value)) == first.as_deref();
        let spare = found.iter().take_while(alike).count().saturating_sub(most);
        let skip = random::below(&*queue.random, spare as u64 + 1);
        found.drain(..usize::try_from(skip).unwrap_or(0));
    }
    let (mine, _reserved) =
        queue.wakeups.reserve(found, most, |found| found.document.key.id.as_str());
    let now = queue.clock.now();
    let candidates = candidates(queue, claim, mine, kind.concurrency.is_some(), now)?;
    let (leased, met) = match permit {
        Some(permit) => commit_limited(queue, kind, permit, candidates).await?,
        None => commit(queue, candidates).await?,
    };
    Ok(Look { leased, met })
}

/// The writes that claim these tasks.
fn candidates(
    queue: &StoreQueue,
    claim: &Claim<'_>,
    found: Vec<Found>,
    counted: bool,
    now: Timestamp,
) -> Result<Vec<Candidate>, QueueError> {
    let mut random = vec![0_u8; found.len() * 8];
    queue.random.fill(&mut random);
    let secrets = random.as_chunks::<8>().0;
    let candidate = |(found, random): (Found, &[u8; 8])| {
        let mut stored = Stored::of(&found.document)?;
        let mut held = change::held(&stored, *random, claim.worker, now, claim.lease_for);
        held.limited = counted;
        let (token, until) = (held.token.clone(), held.until);
        stored.start(held, now);
        let write = stored.put(Precondition::Version(found.document.version))?;
        let attempt = stored.record.attempts;
        let task = stored.record.task;
        let lease = Lease { task_id: task.id.clone(), token };
        Ok(Candidate { write, leased: Leased { task, lease, attempt, until } })
    };
    found.into_iter().zip(secrets).map(candidate).collect()
}

/// Commits in batches beside each other; gives what was claimed and whether a batch was refused.
async fn commit(
    queue: &StoreQueue,
    candidates: Vec<Candidate>,
) -> Result<(Vec<Leased>, bool), QueueError> {
    let batches = pieces(candidates, limits::BATCH_MAX, Candidate::body_bytes)
        .into_iter()
        .map(|chunk| one_batch(queue, chunk, None));
    let (mut leased, mut met, mut failed) = (Vec::new(), false, None);
    for outcome in join_all(batches).await {
        match outcome {
            Ok(Some((claimed, _))) => leased.extend(claimed),
            Ok(None) => met = true,
            Err(error) => failed = Some(error),
        }
    }
    give(leased, met, failed)
}

/// What was claimed goes to the worker, whatever failed beside it.
fn give(
    leased: Vec<Leased>,
    met: bool,
    failed: Option<QueueError>,
) -> Result<(Vec<Leased>, bool), QueueError> {
    match failed {
        Some(error) if leased.is_empty() => Err(error),
        Some(error) => {
            tracing::warn!(%error, "a part of a claim failed");
            Ok((leased, met))
        }
        None => Ok((leased, met)),
    }
}

/// Commits in batches one after the other, each with the document of the kind's limits.
async fn commit_limited(
    queue: &StoreQueue,
    kind: &KindLimits,
    mut permit: Permit,
    candidates: Vec<Candidate>,
) -> Result<(Vec<Leased>, bool), QueueError> {
    let (mut leased, mut met, mut failed) = (Vec::new(), false, None);
    for chunk in pieces(candidates, limits::BATCH_MAX - 1, Candidate::body_bytes) {
        let write = permit.take(kind, chunk.len())?;
        match one_batch(queue, chunk, Some(write)).await {
            Ok(Some((claimed, version))) => {
                leased.extend(claimed);
                permit.taken(version);
            }
            Ok(None) => met = true,
            Err(error) => failed = Some(error),
        }
        if met || failed.is_some() {
            break;
        }
    }
    give(leased, met, failed)
}

/// What was claimed, in its order, and the version of the first document of the batch; `None` when
/// it was refused.
async fn one_batch(
    queue: &StoreQueue,
    chunk: Vec<Candidate>,
    first: Option<Write>,
) -> Result<Option<(Vec<Leased>, u64)>, QueueError> {
    let (writes, leased): (Vec<_>, Vec<_>) =
        chunk.into_iter().map(|candidate| (candidate.write, candidate.leased)).unzip();
    let batch = Batch::of(first.into_iter().chain(writes));
    match queue.store.commit(batch).await {
        Ok(versions) => Ok(Some((leased, versions.first().copied().unwrap_or_default()))),
        Err(StoreError::Precondition { .. }) => Ok(None),
        Err(StoreError::OutcomeUnknown(cause)) => {
            // Whoever lost the answer looks whether its tokens are there: a lease that nobody knows
            // of would count as a lost worker.
            let ids: Vec<String> = leased.iter().map(|one| one.task.id.clone()).collect();
            let found = read(queue, &ids).await.map_err(|_| QueueError::OutcomeUnknown(cause))?;
            let now = queue.clock.now();
            let mine = |found: &Option<(u64, Stored)>, leased: &Leased| {
                found.as_ref().is_some_and(|(_, stored)| stored.holds(&leased.lease.token, now))
            };
            let all = found.iter().zip(&leased).all(|(found, leased)| mine(found, leased));
            // The version of a limit is not known then; the next batch is refused and looks again.
            Ok(all.then_some((leased, 0)))
        }
        Err(error) => Err(fault::of(error)),
    }
}
