//! Changes tasks that are known by id: each is one put that expects the version that was read.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use outrigger_kernel::{Timestamp, limits, random};
use outrigger_ports::queue::{Beat, Heartbeat, QueueError, Settlement, Status};
use outrigger_ports::store::{Batch, Precondition, StoreError, Write, pieces};

use super::enqueue::read;
use super::stored::{self, Stored};
use super::{StoreQueue, fault};

/// Most looks at a task that others change at the same time.
const TRIES: u32 = 10;
/// The longest pause before another look, times the number of looks.
const PAUSE_US: u64 = 2_000;

/// What is done with a task.
pub(super) enum Step {
    /// Nothing.
    Keep,
    /// It is written as it is now.
    Put,
    /// It is forgotten at once.
    Forget,
}

/// A task that is being changed.
struct Item<A> {
    place: usize,
    version: u64,
    write: Write,
    answer: A,
}

/// Changes the tasks with these ids, each at most once per call of `decide`, which gets the place in
/// `ids`, the task if it is known, and the time; gives its answers. The same id may occur more than
/// once.
pub(super) async fn change<A: Clone>(
    queue: &StoreQueue,
    ids: &[String],
    decide: impl Fn(usize, Option<&mut Stored>, Timestamp) -> (Step, A),
) -> Result<Vec<A>, QueueError> {
    let mut answers: Vec<Option<A>> = vec![None; ids.len()];
    let mut written = false;
    for places in turns(ids) {
        let mut places = places;
        for tries in 0..TRIES {
            let size = if tries < 2 { limits::BATCH_MAX } else { 1 };
            let items = look(queue, ids, &places, &decide, &mut answers).await;
            let items = items.map_err(|error| after(written, error))?;
            let (left, some, failed) = commit(queue, items, size, &mut answers).await;
            written |= some;
            if let Some(error) = failed {
                return Err(after(written, error));
            }
            places = left;
            if places.is_empty() {
                break;
            }
            pause(queue, tries).await;
        }
        if !places.is_empty() {
            let error = QueueError::Unavailable("others change the same tasks all the time".into());
            return Err(after(written, error));
        }
    }
    let lost = || QueueError::Internal("a task got no answer".into());
    answers.into_iter().map(|answer| answer.ok_or_else(lost)).collect()
}

fn after(written: bool, error: QueueError) -> QueueError {
    if written { fault::after_a_part(error) } else { error }
}

/// A short random pause, so that two who meet do not meet again.
pub(super) async fn pause(queue: &StoreQueue, tries: u32) {
    let most = PAUSE_US * u64::from(tries + 1);
    tokio::time::sleep(Duration::from_micros(random::below(&*queue.random, most))).await;
}

/// The places, those of one id one after the other.
fn turns(ids: &[String]) -> Vec<Vec<usize>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut turns: Vec<Vec<usize>> = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let turn = seen.entry(id).or_default();
        if turns.len() == *turn {
            turns.push(Vec::new());
        }
        turns[*turn].push(place);
        *turn += 1;
    }
    turns
}

/// Reads the tasks and decides.
async fn look<A>(
    queue: &StoreQueue,
    ids: &[String],
    places: &[usize],
    decide: &impl Fn(usize, Option<&mut Stored>, Timestamp) -> (Step, A),
    answers: &mut [Option<A>],
) -> Result<Vec<Item<A>>, QueueError> {
    let asked: Vec<String> = places.iter().map(|place| ids[*place].clone()).collect();
    let found = read(queue, &asked).await?;
    let now = queue.clock.now();
    let mut items = Vec::with_capacity(places.len());
    for (place, found) in places.iter().zip(found) {
        let Some((version, mut stored)) = found else {
            answers[*place] = Some(decide(*place, None, now).1);
            continue;
        };
        let (step, answer) = decide(*place, Some(&mut stored), now);
        let write = match step {
            Step::Keep => {
                answers[*place] = Some(answer);
                continue;
            }
            Step::Put => stored.put(Precondition::Version(version))?,
            Step::Forget => Write::Delete {
                key: stored::key(&ids[*place]),
                precondition: Precondition::Version(version),
            },
        };
        items.push(Item { place: *place, version, write, answer });
    }
    Ok(items)
}

/// Commits in batches; gives the places that were refused, whether some were not, and the first
/// failure.
async fn commit<A>(
    queue: &StoreQueue,
    items: Vec<Item<A>>,
    size: usize,
    answers: &mut [Option<A>],
) -> (Vec<usize>, bool, Option<QueueError>) {
    let batches = pieces(items, size, |item| item.write.body_bytes());
    let batches = batches.into_iter().map(|chunk| async move {
        let batch = Batch::of(chunk.iter().map(|item| item.write.clone()));
        (chunk, queue.store.commit(batch).await)
    });
    let (mut left, mut some, mut failed) = (Vec::new(), false, None);
    for (chunk, outcome) in join_all(batches).await {
        match outcome {
            Ok(_) => {
                some = true;
                for item in chunk {
                    answers[item.place] = Some(item.answer);
                }
            }
            Err(StoreError::Precondition { .. }) => {
                left.extend(chunk.iter().map(|item| item.place));
            }
            Err(error) => {
                let versions: Vec<u64> = chunk.iter().map(|item| item.version).collect();
                tracing::debug!(%error, ?versions, "tasks were not changed");
                failed = failed.or(Some(fault::of(error)));
            }
        }
    }
    (left, some, failed)
}

/// Extends leases.
pub(super) async fn heartbeat(
    queue: &StoreQueue,
    beats: Vec<Heartbeat>,
    lease_for: Duration,
) -> Result<Vec<Beat>, QueueError> {
    let ids: Vec<String> = beats.iter().map(|beat| beat.lease.task_id.clone()).collect();
    change(queue, &ids, |place, stored, now| {
        let beat = &beats[place];
        let Some(stored) = stored.filter(|stored| stored.holds(&beat.lease.token, now)) else {
            return (Step::Keep, Beat::Lost);
        };
        stored.extend(now.plus(lease_for));
        if beat.progress.is_some() {
            stored.record.progress.clone_from(&beat.progress);
        }
        let asked = stored.record.cancel_requested;
        (Step::Put, if asked { Beat::Cancelled } else { Beat::Held })
    })
    .await
}

/// Ends leases.
pub(super) async fn settle(
    queue: &StoreQueue,
    settlements: Vec<Settlement>,
) -> Result<Vec<bool>, QueueError> {
    let ids: Vec<String> = settlements.iter().map(|one| one.lease.task_id.clone()).collect();
    let ended = change(queue, &ids, |place, stored, now| {
        let Settlement { lease, outcome } = &settlements[place];
        let Some(stored) = stored.filter(|stored| stored.holds(&lease.token, now)) else {
            return (Step::Keep, (false, None));
        };
        let limited = stored.lease.as_ref().is_some_and(|held| held.limited);
        stored.settle(outcome.clone(), now);
        // Somebody may claim it again, or another one in its place.
        let wakes = limited || stored.record.status == Status::Queued;
        let wakes = wakes.then(|| stored.record.task.queue.clone());
        let status = stored.record.status;
        let forget = matches!(status, Status::Succeeded | Status::Failed | Status::Cancelled)
            && stored.record.task.retention_s == 0;
        (if forget { Step::Forget } else { Step::Put }, (true, wakes))
    })
    .await?;
    let mut queues: Vec<&String> = ended.iter().filter_map(|(_, wakes)| wakes.as_ref()).collect();
    queues.sort_unstable();
    queues.dedup();
    for name in queues {
        queue.wakeups.wake(name);
    }
    Ok(ended.into_iter().map(|(held, _)| held).collect())
}
