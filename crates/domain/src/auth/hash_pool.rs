//! A few threads that hash passwords, and a short queue in front of them.
//!
//! A hash takes some 15 ms of one core and 19 MiB. So a burst of logins must neither run on the
//! threads that serve requests nor all at once: `threads` bound the memory, the queue bounds the
//! wait, and what is over it is told to come again. A request that was given up while it waited
//! costs nothing. Each thread keeps the memory it hashes in, and gives it back when idle.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Block;
use outrigger_kernel::{Error, Result};
use tokio::sync::oneshot;

use super::settings::HashSettings;

/// The memory that one thread hashes in.
#[derive(Default)]
pub(super) struct Workspace(Vec<Block>);

impl Workspace {
    /// At least so many blocks of 1 KiB, with whatever is in them.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0.resize(count, Block::default());
        }
        &mut self.0[..count]
    }
}

/// One piece of work and who waits for it.
trait Job: Send {
    /// Whether nobody waits for it any more.
    fn is_given_up(&self) -> bool;
    /// Does it, and tells who waits.
    fn run(self: Box<Self>, workspace: &mut Workspace);
}

struct Task<T, F> {
    work: F,
    reply: oneshot::Sender<T>,
}

impl<T: Send, F: FnOnce(&mut Workspace) -> T + Send> Job for Task<T, F> {
    fn is_given_up(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, workspace: &mut Workspace) {
        let result = (self.work)(workspace);
        // When nobody waits any more, nothing is to be told.
        let _ = self.reply.send(result);
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

struct Inner {
    queue: Mutex<Queue>,
    work: Condvar,
    idle: Duration,
    waiting_max: usize,
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads; they end when the pool is dropped.
pub(super) struct HashPool(Arc<Inner>);

impl std::fmt::Debug for HashPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashPool").field("waiting_max", &self.0.waiting_max).finish()
    }
}

impl HashPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(settings: &HashSettings) -> Result<Self> {
        let inner = Arc::new(Inner {
            queue: Mutex::default(),
            work: Condvar::new(),
            idle: settings.idle,
            waiting_max: settings.waiting_max,
        });
        let pool = Self(inner.clone());
        for _ in 0..settings.threads {
            let inner = inner.clone();
            std::thread::Builder::new()
                .name("password-hash".to_owned())
                .spawn(move || work(&inner))
                .map_err(Error::internal)?;
        }
        Ok(pool)
    }

    /// Runs `job` on one of the threads.
    ///
    /// # Errors
    /// `busy` when too many wait already.
    pub(super) async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Workspace) -> T + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        self.push(Box::new(Task { work: job, reply }))?;
        receiver.await.map_err(Error::internal)
    }

    fn push(&self, job: Box<dyn Job>) -> Result<()> {
        let mut queue = self.0.queue();
        if queue.jobs.len() >= self.0.waiting_max {
            queue.jobs.retain(|job| !job.is_given_up());
        }
        if queue.jobs.len() >= self.0.waiting_max {
            return Err(Error::unavailable(
                "busy",
                "too many are signing in at this moment; try again",
            ));
        }
        queue.jobs.push_back(job);
        gauge(queue.jobs.len());
        drop(queue);
        self.0.work.notify_one();
        Ok(())
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        queue.jobs.clear();
        drop(queue);
        self.0.work.notify_all();
    }
}

fn work(inner: &Inner) {
    let mut workspace = Workspace::default();
    while let Some(job) = next(inner, &mut workspace) {
        if job.is_given_up() {
            continue;
        }
        if catch_unwind(AssertUnwindSafe(|| job.run(&mut workspace))).is_err() {
            workspace = Workspace::default();
            tracing::error!("hashing a password panicked");
        }
    }
}

/// The next job; gives the memory back when there is none for a while. `None` at the end.
fn next(inner: &Inner, workspace: &mut Workspace) -> Option<Box<dyn Job>> {
    let mut queue = inner.queue();
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            gauge(queue.jobs.len());
            return Some(job);
        }
        if queue.closed {
            return None;
        }
        if workspace.0.is_empty() {
            queue = inner.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let waited = inner.work.wait_timeout(queue, inner.idle);
        let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        queue = again;
        if timeout.timed_out() && queue.jobs.is_empty() {
            *workspace = Workspace::default();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a queue of at most some thousand")]
fn gauge(waiting: usize) {
    metrics::gauge!("outrigger_password_hash_queue").set(waiting as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::sync::mpsc;
    use std::task::Poll;
    use std::time::Instant;

    fn pool(threads: usize, waiting_max: usize) -> HashPool {
        HashPool::start(&HashSettings { threads, waiting_max, ..HashSettings::default() }).unwrap()
    }

    /// Polls once.
    async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
        std::future::poll_fn(|ctx| Poll::Ready(future.as_mut().poll(ctx).is_pending())).await
    }

    #[tokio::test]
    async fn over_the_bound_it_is_refused_and_a_given_up_job_makes_room() {
        let pool = pool(1, 1);
        let (release, gate) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let busy = pool.run(move |_| {
            let _ = started.send(());
            let _ = gate.recv();
        });
        let (skipped_ran, skipped) = mpsc::channel();
        let mut waiting = Box::pin(pool.run(move |_| skipped_ran.send(())));
        tokio::pin!(busy);
        tokio::select! { biased; _ = &mut busy => panic!("not yet"), _ = has_started => {} }
        assert!(is_pending(waiting.as_mut()).await);

        let refused = pool.run(|_| ()).await.unwrap_err();
        assert_eq!(refused.code(), "busy");
        assert!(refused.retry_after().is_some());

        drop(waiting);
        let last = pool.run(|_| 7);
        tokio::pin!(last);
        assert!(is_pending(last.as_mut()).await);
        release.send(()).unwrap();
        assert_eq!(last.await.unwrap(), 7);
        busy.await.unwrap();
        assert!(skipped.try_recv().is_err(), "a job that nobody waits for has run");
    }

    #[tokio::test]
    async fn memory_is_kept_between_jobs_and_given_back_when_idle() {
        let idle_for = |idle| {
            HashPool::start(&HashSettings { threads: 1, idle, ..HashSettings::default() }).unwrap()
        };
        let patient = idle_for(Duration::from_secs(3_600));
        patient.run(|workspace| workspace.blocks(64).len()).await.unwrap();
        assert_eq!(patient.run(|workspace| workspace.0.len()).await.unwrap(), 64);
        let pool = idle_for(Duration::from_millis(20));
        pool.run(|workspace| workspace.blocks(64).len()).await.unwrap();
        // The thread gives it back after 20 ms; ask it until it has.
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            tokio::time::sleep(Duration::from_millis(30)).await;
            if pool.run(|workspace| workspace.0.capacity()).await.unwrap() == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "the memory is never given back");
        }
    }

    #[tokio::test]
    async fn a_panic_ends_the_job_and_not_the_thread() {
        let pool = pool(1, 4);
        let error: Result<()> = pool.run(|_| panic!("as in a test")).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), "internal");
        assert_eq!(pool.run(|_| 1).await.unwrap(), 1);
    }
}
