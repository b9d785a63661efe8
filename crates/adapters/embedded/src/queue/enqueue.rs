//! Puts tasks into their queues.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use outrigger_kernel::limits;
use outrigger_ports::index_value;
use outrigger_ports::queue::{Enqueued, QueueError, Task, bounds};
use outrigger_ports::store::{Batch, Order, Precondition, StoreError, Write, pieces};

use super::stored::{self, Stored};
use super::{StoreQueue, fault, names, turn};

/// Most looks at a batch that is refused for something that is gone when it is looked for.
const TRIES: usize = 8;

/// One task that is to be written.
#[derive(Debug)]
struct Draft {
    /// Its place in the call.
    place: usize,
    write: Write,
}

/// Enqueues the tasks.
pub(super) async fn run(queue: &StoreQueue, tasks: Vec<Task>) -> Result<Vec<Enqueued>, QueueError> {
    bounds::check_tasks(&tasks)?;
    let mut answers: Vec<Option<Enqueued>> = vec![None; tasks.len()];
    let writes = stage(queue, &tasks)?;
    let mut some = false;
    for drafts in turns(&tasks, writes) {
        let chunks = pieces(drafts, limits::BATCH_MAX, |draft| draft.write.body_bytes());
        let mut failed = None;
        for outcome in join_all(chunks.into_iter().map(|chunk| create(queue, chunk))).await {
            let (done, error) = outcome;
            for (place, answer) in done {
                some |= answer == Enqueued::New;
                answers[place] = Some(answer);
            }
            failed = failed.or(error);
        }
        if let Some(error) = failed {
            if some {
                announce(queue, &tasks).await;
                return Err(fault::after_a_part(error));
            }
            return Err(error);
        }
    }
    if some {
        announce(queue, &tasks).await;
    }
    let lost = || QueueError::Internal("a task got no answer".into());
    answers.into_iter().map(|answer| answer.ok_or_else(lost)).collect()
}

/// The writes that enqueue the tasks.
pub(super) fn stage(queue: &StoreQueue, tasks: &[Task]) -> Result<Vec<Write>, QueueError> {
    bounds::check_tasks(tasks)?;
    let now = queue.clock.now();
    tasks.iter().map(|task| Stored::new(task.clone(), now).put(Precondition::Absent)).collect()
}

/// Lets workers know of the tasks.
pub(super) async fn announce(queue: &StoreQueue, tasks: &[Task]) {
    let queues: HashSet<&str> = tasks.iter().map(|task| task.queue.as_str()).collect();
    for name in queues {
        names::ensure(queue, name).await;
        queue.wakeups.wake(name);
    }
}

/// Sorts the writes so that two of one id or one unique key come one after the other.
fn turns(tasks: &[Task], writes: Vec<Write>) -> Vec<Vec<Draft>> {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut keys: HashMap<(&str, &str), usize> = HashMap::new();
    let mut turns: Vec<Vec<Draft>> = Vec::new();
    for (place, (task, write)) in tasks.iter().zip(writes).enumerate() {
        let key = task.unique_key.as_deref().map(|key| (task.kind.as_str(), key));
        let of_id = ids.get(task.id.as_str()).copied().unwrap_or(0);
        let of_key = key.and_then(|key| keys.get(&key).copied()).unwrap_or(0);
        let turn = of_id.max(of_key);
        ids.insert(&task.id, turn + 1);
        if let Some(key) = key {
            keys.insert(key, turn + 1);
        }
        if turns.len() <= turn {
            turns.push(Vec::new());
        }
        turns[turn].push(Draft { place, write });
    }
    turns
}

type Created = (Vec<(usize, Enqueued)>, Option<QueueError>);

/// Commits one batch; what is known already or has a duplicate is left out of it.
async fn create(queue: &StoreQueue, mut drafts: Vec<Draft>) -> Created {
    let mut done = Vec::new();
    let mut vain = 0;
    while !drafts.is_empty() {
        let batch = Batch::of(drafts.iter().map(|draft| draft.write.clone()));
        let before = done.len();
        let left_out = match queue.store.commit(batch).await {
            Ok(_) => {
                done.extend(drafts.drain(..).map(|draft| (draft.place, Enqueued::New)));
                return (done, None);
            }
            Err(StoreError::Precondition { .. }) => known(queue, &mut drafts, &mut done).await,
            Err(StoreError::Unique { write, .. }) if write < drafts.len() => {
                duplicate(queue, &mut drafts, write, &mut done).await
            }
            Err(error) => Err(fault::of(error)),
        };
        if let Err(error) = left_out {
            return (done, Some(error));
        }
        vain += usize::from(done.len() == before);
        if vain > TRIES {
            let what = "tasks with these ids or unique keys come and go all the time";
            return (done, Some(QueueError::Unavailable(what.into())));
        }
    }
    (done, None)
}

/// Takes out what the store has already.
async fn known(
    queue: &StoreQueue,
    drafts: &mut Vec<Draft>,
    done: &mut Vec<(usize, Enqueued)>,
) -> Result<(), QueueError> {
    let keys: Vec<_> = drafts.iter().map(|draft| draft.write.key().clone()).collect();
    let found = queue.store.get_many(&keys).await.map_err(fault::of)?;
    let mut there = found.iter().map(Option::is_some);
    drafts.retain(|draft| {
        let known = there.next().unwrap_or(false);
        if known {
            done.push((draft.place, Enqueued::Known));
        }
        !known
    });
    Ok(())
}

/// Takes out the task at `at`, if another one has its unique key.
async fn duplicate(
    queue: &StoreQueue,
    drafts: &mut Vec<Draft>,
    at: usize,
    done: &mut Vec<(usize, Enqueued)>,
) -> Result<(), QueueError> {
    let value = drafts[at].write.entries().iter().find(|entry| entry.unique);
    let range = index_value::exactly(value.map(|entry| entry.value.clone()).unwrap_or_default());
    let query = StoreQueue::tasks(Order::Unique(turn::UNIQUE), range, 1);
    let holder = queue.store.query(&query).await.map_err(fault::of)?;
    if let Some(holder) = holder.into_iter().next() {
        let draft = drafts.remove(at);
        done.push((draft.place, Enqueued::Duplicate { of: holder.document.key.id }));
    }
    Ok(())
}

/// The task as the store has it, with its version.
pub(super) async fn read(
    queue: &StoreQueue,
    ids: &[String],
) -> Result<Vec<Option<(u64, Stored)>>, QueueError> {
    let keys: Vec<_> = ids.iter().map(|id| stored::key(id)).collect();
    let pages = keys.chunks(limits::GET_MANY_MAX).map(|keys| queue.store.get_many(keys));
    let mut all = Vec::with_capacity(ids.len());
    for page in join_all(pages).await {
        for document in page.map_err(fault::of)? {
            let stored = document.map(|document| Ok((document.version, Stored::of(&document)?)));
            all.push(stored.transpose()?);
        }
    }
    Ok(all)
}
