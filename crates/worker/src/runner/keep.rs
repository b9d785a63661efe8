//! Keeps leases alive, and the queue in order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use outrigger_domain::tasks::Progress;
use outrigger_kernel::limits::TASKS_MAX;
use outrigger_ports::queue::{Beat, Heartbeat, Lease, Queue, QueueError, Tended};
use tokio::time::Instant;

use super::Inner;
use super::running::Signal;

/// So soon the queue is told what jobs say of their progress.
const NEWS: Duration = Duration::from_millis(500);
/// The pause before the last progress of a job is told again, from the first to the longest.
const AWAY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The pause before a loop that has panicked begins again.
const AGAIN: Duration = Duration::from_millis(100);

/// Of which tasks the queue is given a sign of life.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those whose jobs have said something of their progress.
    WithNews,
}

/// Extends the leases of all running tasks, three times within the time of one, and passes on what
/// jobs say of their progress.
pub(super) async fn leases(worker: Arc<Inner>) {
    let third = worker.options.lease / 3;
    let mut due = Instant::now() + third;
    loop {
        tokio::time::sleep_until(due.min(Instant::now() + NEWS)).await;
        let mut which = Which::WithNews;
        if Instant::now() >= due {
            which = Which::All;
            due = Instant::now() + third;
        }
        if let Err(error) = beat(&worker, which).await {
            tracing::warn!(source = %error, "leases could not be extended");
        }
    }
}

/// Returns once the queue knows what the job has said: before it is told how the job has ended.
pub(super) async fn tell(worker: &Inner, progress: &Progress) {
    let Some((last, _)) = progress.news() else { return };
    let mut pause = AWAY.0;
    while !progress.knows(last) {
        if let Err(error) = beat(worker, Which::WithNews).await {
            tracing::warn!(source = %error, "progress could not be told; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AWAY.1);
        }
    }
}

/// Gives signs of life. One after the other, so that older progress never comes after newer; who waits
/// for the turn finds that it was told.
async fn beat(worker: &Inner, which: Which) -> Result<(), QueueError> {
    let _turn = worker.beating.lock().await;
    let each = worker.running.leases().into_iter().filter_map(|(lease, progress)| {
        let (number, news) = progress.news().unzip();
        let beat = Heartbeat { lease, progress: news };
        (which == Which::All || number.is_some()).then_some((beat, progress, number))
    });
    let beats: Vec<_> = each.collect();
    for some in beats.chunks(TASKS_MAX) {
        let signs = some.iter().map(|(beat, ..)| beat.clone()).collect();
        let answers = worker.queue.heartbeat(signs, worker.options.lease).await?;
        for ((beat, progress, number), answer) in some.iter().zip(answers) {
            heard(worker, &beat.lease, answer);
            progress.is_told(number.unwrap_or_default());
        }
    }
    Ok(())
}

fn heard(worker: &Inner, lease: &Lease, answer: Beat) {
    match answer {
        Beat::Held => {}
        Beat::Cancelled => worker.running.tell(lease, Signal::Cancel),
        Beat::Lost => worker.running.tell(lease, Signal::Lost),
    }
}

/// Runs a loop that never ends, again when it panics: without it the leases of all tasks would end,
/// and nobody would know why.
pub(super) async fn again<F: Future<Output = ()>>(what: &str, run: impl Fn() -> F) {
    loop {
        if AssertUnwindSafe(run()).catch_unwind().await.is_err() {
            tracing::error!(what, "a loop of the worker has panicked; it begins again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Does what time demands of the queue, with this pause between two rounds, twice as long when there was
/// nothing to do, until it is dropped. Any number may.
pub async fn tend(queue: Arc<dyn Queue>, every: Duration) {
    let counter = |what| metrics::counter!("outrigger_tasks_tended_total", "what" => what);
    let (promoted, recovered) = (counter("promoted"), counter("recovered"));
    let (quarantined, forgotten) = (counter("quarantined"), counter("forgotten"));
    loop {
        let mut pause = every;
        match queue.tend().await {
            Ok(tended) => {
                if tended == Tended::default() {
                    pause *= 2;
                }
                promoted.increment(tended.promoted as u64);
                recovered.increment(tended.recovered as u64);
                quarantined.increment(tended.quarantined as u64);
                forgotten.increment(tended.forgotten as u64);
                if tended.recovered + tended.quarantined > 0 {
                    tracing::warn!(
                        recovered = tended.recovered,
                        quarantined = tended.quarantined,
                        "workers were lost; their tasks run again"
                    );
                }
            }
            Err(error) => tracing::warn!(source = %error, "the queue could not be tended"),
        }
        tokio::time::sleep(pause).await;
    }
}
