//! The one thread that writes: takes all that waits into one transaction, so that many commits
//! share one flush of the disk.

use std::sync::Arc;
use std::thread;

use metrics::Histogram;
use outrigger_kernel::Clock;
use outrigger_ports::store::{Batch, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::plan::Stop;
use super::queue::{Queue, Refused, Served};
use super::{commit, error};
use crate::fault::Fault;

/// Most batches in one transaction.
const GROUP_MAX: usize = 256;
/// Most batches and other work that wait for the writer.
const WAITING_MAX: usize = 4096;

type Answer = oneshot::Sender<Result<Vec<u64>, StoreError>>;

/// What the writer is asked to do.
enum Job {
    Commit(Batch, Answer),
    Other(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// The way to the writer. Dropping it lets the writer finish what waits, and waits for that.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Commit(..) => "Commit",
            Self::Other(_) => "Other",
        })
    }
}

impl Writer {
    /// Starts the thread on this connection.
    pub(super) fn start(conn: Connection, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(WAITING_MAX));
        let served = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(conn, &served, &*clock))
            .map_err(|error| StoreError::Unavailable(Fault::cause(error.to_string())))?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Commits the batch with those of others.
    pub(super) async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.push(Job::Commit(batch, answer))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Runs something on the writer's connection, between transactions.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.push(Job::Other(Box::new(move |conn| {
            // The asker may have gone; the work is done all the same.
            let _ = answer.send(work(conn));
        })))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    fn push(&self, job: Job) -> Result<(), StoreError> {
        self.queue.push(job).map_err(|refused| match refused {
            Refused::Full => {
                StoreError::Unavailable(Fault::cause(format!("{WAITING_MAX} writes wait already")))
            }
            Refused::Closed => {
                StoreError::Unavailable(Fault::cause("the writer of the database has ended"))
            }
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

/// The writer ended with the batch in its hands.
fn gone() -> StoreError {
    StoreError::OutcomeUnknown(Fault::cause("the writer of the database has ended"))
}

fn serve(mut conn: Connection, queue: &Queue<Job>, clock: &dyn Clock) {
    let _served = Served(queue);
    let group_size = metrics::histogram!("outrigger_database_commit_group_size");
    let mut jobs = Vec::with_capacity(GROUP_MAX);
    let mut group = Vec::with_capacity(GROUP_MAX);
    while queue.take(GROUP_MAX, &mut jobs) {
        for job in jobs.drain(..) {
            match job {
                Job::Commit(batch, answer) => group.push((batch, answer)),
                Job::Other(work) => {
                    commit_group(&conn, &mut group, clock, &group_size);
                    work(&mut conn);
                }
            }
        }
        commit_group(&conn, &mut group, clock, &group_size);
    }
}

/// Commits the group in one transaction. When that fails before the commit was begun, each batch
/// is tried alone: one that has no room does not fail the others, and a delete may still pass.
fn commit_group(
    conn: &Connection,
    group: &mut Vec<(Batch, Answer)>,
    clock: &dyn Clock,
    sizes: &Histogram,
) {
    if group.is_empty() {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    sizes.record(group.len() as f64);
    let batches: Vec<&Batch> = group.iter().map(|(batch, _)| batch).collect();
    let mut outcome = transaction(conn, &batches, clock);
    if batches.len() > 1 && matches!(outcome, Err(Failed::Before(_))) {
        outcome = Ok(batches
            .iter()
            .map(|batch| match transaction(conn, &[batch], clock) {
                Ok(mut one) => one.pop().unwrap_or_else(|| Err(gone())),
                Err(failed) => Err(failed.error()),
            })
            .collect());
    }
    match outcome {
        Ok(results) => {
            for ((_, answer), result) in group.drain(..).zip(results) {
                // The asker may have gone; its batch is committed all the same.
                let _ = answer.send(result);
            }
        }
        Err(failed) => {
            for (_, answer) in group.drain(..) {
                let _ = answer.send(Err(failed.error()));
            }
        }
    }
}

/// Where a transaction failed.
#[derive(Debug)]
enum Failed {
    /// Nothing was changed.
    Before(rusqlite::Error),
    /// The disk failed in the commit.
    Within(rusqlite::Error),
}

impl Failed {
    fn error(&self) -> StoreError {
        match self {
            Self::Before(error) => error::of(error),
            Self::Within(error) => error::of_commit(error),
        }
    }
}

fn transaction(
    conn: &Connection,
    batches: &[&Batch],
    clock: &dyn Clock,
) -> Result<Vec<Result<Vec<u64>, StoreError>>, Failed> {
    let run = |sql: &str| conn.prepare_cached(sql).and_then(|mut sql| sql.execute(()));
    let undo = || {
        // SQLite has undone it by itself after some errors.
        if !conn.is_autocommit()
            && let Err(error) = run("ROLLBACK")
        {
            tracing::error!(%error, "rolling back failed");
        }
    };
    run("BEGIN IMMEDIATE").map_err(Failed::Before)?;
    let now = clock.now();
    let mut results = Vec::with_capacity(batches.len());
    for batch in batches {
        match commit::apply(conn, batch, now) {
            Ok(versions) => results.push(Ok(versions)),
            Err(Stop::Refused(error)) => results.push(Err(error)),
            Err(Stop::Failed(error)) => {
                undo();
                return Err(Failed::Before(error));
            }
        }
    }
    if let Err(error) = run("COMMIT") {
        undo();
        return Err(match error::of_commit(&error) {
            StoreError::OutcomeUnknown(_) => Failed::Within(error),
            _ => Failed::Before(error),
        });
    }
    Ok(results)
}

/// Runs a purge or a migration in a transaction of its own.
pub(super) fn alone<T>(
    conn: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Stop>,
) -> Result<T, StoreError> {
    let transaction = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(|error| error::of(&error))?;
    let done = match work(&transaction) {
        Ok(done) => done,
        Err(Stop::Refused(error)) => return Err(error),
        Err(Stop::Failed(error)) => return Err(error::of(&error)),
    };
    transaction.commit().map_err(|error| error::of_commit(&error))?;
    Ok(done)
}
