//! Runs one task, from its lease to its outcome.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use outrigger_domain::tasks::{Abort, JobError, Progress, TaskCtx, retry_at};
use outrigger_kernel::span::Working;
use outrigger_kernel::{Ctx, TraceParent};
use outrigger_ports::queue::{Failure, Leased, Outcome, Settlement, Task};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;

use super::running::{Signal, Signals};
use super::suspects::Ready;
use super::work::TaskWork;
use super::{Inner, keep, suspects};

/// How long a cancelled job may take to stop by itself; then it is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// What a job came to.
type Done = Result<Option<Box<RawValue>>, JobError>;

/// A task that is counted in: its lease is kept.
pub(super) struct Held {
    pub(super) leased: Leased,
    progress: Progress,
    signals: Signals,
}

/// Begins the tasks beside others.
pub(super) fn begin(worker: &Arc<Inner>, claimed: Vec<Leased>) {
    // Counted in at once, so that no more is claimed than fits.
    let hold = |leased: Leased| {
        let progress = Progress::default();
        let signals = worker.running.begin(leased.lease.clone(), progress.clone());
        Held { leased, progress, signals }
    };
    let held: Vec<Held> = claimed.into_iter().map(hold).collect();
    if !held.iter().any(|held| suspects::may_be(&held.leased)) {
        for held in held {
            start(worker, (held, None));
        }
        return;
    }
    let turn = worker.suspects.begin();
    let worker = worker.clone();
    tokio::spawn(async move {
        for ready in suspects::sift(&worker, held, turn).await {
            start(&worker, ready);
        }
    });
}

/// Starts its attempt.
fn start(worker: &Arc<Inner>, (held, turn): Ready) {
    let task = &held.leased.task;
    let work = TaskWork::begin(task, held.leased.attempt, worker.tracer.as_ref());
    let (worker, work) = (worker.clone(), Arc::new(work));
    tokio::spawn(async move {
        let running = pin!(attempt(&worker, held, &work));
        Working::on(work.clone(), running).await;
        drop(turn);
    });
}

/// Ends a lease on a task that has not begun.
pub(super) async fn give_back(worker: &Inner, held: &Held, outcome: Outcome) {
    let lease = held.leased.lease.clone();
    worker.settler.settle(Settlement { lease: lease.clone(), outcome }).await;
    worker.running.end(&lease);
}

/// One attempt, and what is told of it.
async fn attempt(worker: &Inner, held: Held, work: &TaskWork) {
    let Held { leased, progress, signals } = held;
    let lease = leased.lease.clone();
    let outcome = run(worker, leased, progress.clone(), signals, work.trace).await;
    work.end(outcome.as_ref());
    if let Some(outcome) = outcome {
        keep::tell(worker, &progress).await;
        worker.settler.settle(Settlement { lease: lease.clone(), outcome }).await;
    }
    worker.running.end(&lease);
}

/// Runs the job; `None` when there is nothing to say, as the lease is lost.
async fn run(
    worker: &Inner,
    leased: Leased,
    progress: Progress,
    signals: Signals,
    trace: Option<TraceParent>,
) -> Option<Outcome> {
    let Leased { task, attempt, .. } = leased;
    let started = Instant::now();
    // The pauses between attempts are meant: only the first one says how long tasks wait.
    if attempt == 1 {
        let waited = worker.clock.now().since(task.run_at);
        metrics::histogram!("outrigger_task_wait_seconds", "queue" => task.queue.clone())
            .record(waited.as_secs_f64());
    }
    let (stop, stopping) = watch::channel(false);
    let ctx = TaskCtx {
        ctx: Ctx { trace, ..Ctx::system(&task.id) },
        services: worker.services.clone(),
        task,
        attempt,
        progress,
        abort: Abort::new(stopping),
    };
    let outcome = match worker.registry.find(&ctx.task.kind) {
        None => Some(Outcome::Released),
        Some(job) => {
            let job = AssertUnwindSafe(job.run(&ctx)).catch_unwind();
            let job = async { job.await.unwrap_or_else(|panic| Err(panicked(&*panic))) };
            match supervise(job, ctx.task.timeout(), signals, &stop).await {
                End::Done(done) => Some(outcome_of(worker, &ctx.task, attempt, done)),
                End::Cancelled => Some(Outcome::Cancelled),
                End::HandBack => Some(Outcome::Released),
                End::Lost => None,
            }
        }
    };
    note(&ctx.task, outcome.as_ref(), started.elapsed());
    outcome
}

/// How supervising a job ended.
enum End {
    Done(Done),
    Cancelled,
    HandBack,
    Lost,
}

/// Runs the job until it is done, its time is over, or a signal ends it.
async fn supervise(
    job: impl Future<Output = Done>,
    timeout: Duration,
    mut signals: Signals,
    stop: &watch::Sender<bool>,
) -> End {
    let mut job = pin!(job);
    let mut end = Instant::now() + timeout;
    let mut cancelled = false;
    loop {
        tokio::select! {
            biased;
            done = &mut job => {
                return if cancelled && done.is_err() { End::Cancelled } else { End::Done(done) };
            }
            changed = signals.changed() => {
                let signal = if changed.is_ok() { *signals.borrow_and_update() } else { Signal::Lost };
                stop.send_replace(signal != Signal::Run);
                match signal {
                    Signal::Lost => return End::Lost,
                    Signal::HandBack => return End::HandBack,
                    Signal::Cancel if !cancelled => {
                        cancelled = true;
                        end = end.min(Instant::now() + CANCEL_GRACE);
                    }
                    Signal::Run | Signal::Cancel => {}
                }
            }
            () = tokio::time::sleep_until(end) => {
                let message = format!("the job did not end within {timeout:?}");
                let timed_out = || End::Done(Err(JobError::retry("timeout", message)));
                return if cancelled { End::Cancelled } else { timed_out() };
            }
        }
    }
}

/// What the queue is told.
fn outcome_of(worker: &Inner, task: &Task, attempt: u32, done: Done) -> Outcome {
    match done {
        Ok(result) => Outcome::Succeeded { result },
        Err(JobError { failure: error, retry: false, .. }) => Outcome::Failed { error },
        Err(JobError { failure: error, .. }) if attempt >= task.max_attempts => {
            Outcome::Dead { error }
        }
        Err(JobError { failure: error, not_before, .. }) => {
            let now = worker.clock.now();
            let earliest = now.plus(not_before.unwrap_or_default());
            let at = retry_at(task, attempt, now, &*worker.random).max(earliest);
            Outcome::Retry { error, at }
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> JobError {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    JobError::retry("panicked", text.unwrap_or_else(|| "the job panicked".to_owned()))
}

/// Counts and logs it, once, here.
fn note(task: &Task, outcome: Option<&Outcome>, took: Duration) {
    let word = match outcome {
        Some(Outcome::Succeeded { .. }) => "succeeded",
        Some(Outcome::Retry { .. }) => "retry",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Dead { .. }) => "dead",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::Released | Outcome::Postponed { .. }) => "released",
        None => "lost",
    };
    let kind = task.kind.clone();
    metrics::histogram!("outrigger_task_duration_seconds", "kind" => kind, "outcome" => word)
        .record(took.as_secs_f64());
    match outcome {
        Some(
            Outcome::Retry { error, .. } | Outcome::Failed { error } | Outcome::Dead { error },
        ) => log_failure(word, error),
        None => tracing::warn!("the lease on a task was lost: another worker may run it"),
        _ => tracing::debug!(outcome = word, "a task ended"),
    }
}

/// Its line says which task it is, as each that is written while the task is worked on.
fn log_failure(word: &'static str, Failure { code, message }: &Failure) {
    if word == "retry" {
        tracing::info!(code, source = message, "a task is tried again");
    } else {
        tracing::warn!(code, source = message, outcome = word, "a task failed");
    }
}
