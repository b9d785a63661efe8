//! The tasks that a worker is running.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::Gauge;
use outrigger_domain::tasks::Progress;
use outrigger_ports::queue::Lease;
use tokio::sync::{Notify, watch};

/// What a running job is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Go on.
    Run,
    /// Somebody cancelled the task: stop, and say so.
    Cancel,
    /// The lease is lost: end at once, and say nothing.
    Lost,
    /// The worker ends: end at once, and give the task back.
    HandBack,
}

/// The other end of what a job is told.
pub(super) type Signals = watch::Receiver<Signal>;

#[derive(Debug)]
struct Entry {
    signal: watch::Sender<Signal>,
    progress: Progress,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Running {
    most: usize,
    tasks: Mutex<HashMap<Lease, Entry>>,
    changed: Notify,
    gauge: Gauge,
}

impl Running {
    /// None yet, and never more than `most`.
    pub(super) fn new(most: usize) -> Self {
        let gauge = metrics::gauge!("outrigger_tasks_running");
        Self { most: most.max(1), tasks: Mutex::default(), changed: Notify::new(), gauge }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lease, Entry>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a task in.
    pub(super) fn begin(&self, lease: Lease, progress: Progress) -> Signals {
        let (signal, signals) = watch::channel(Signal::Run);
        self.lock().insert(lease, Entry { signal, progress });
        self.gauge.increment(1.0);
        signals
    }

    /// Counts a task out.
    pub(super) fn end(&self, lease: &Lease) {
        if self.lock().remove(lease).is_some() {
            self.gauge.decrement(1.0);
        }
        self.changed.notify_waiters();
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many more there may be.
    pub(super) fn room(&self) -> usize {
        self.most.saturating_sub(self.count())
    }

    /// Returns once there is room for one more.
    pub(super) async fn has_room(&self) {
        self.wait_until(|| self.room() > 0).await;
    }

    /// Returns once none is left.
    pub(super) async fn emptied(&self) {
        self.wait_until(|| self.count() == 0).await;
    }

    async fn wait_until(&self, is_so: impl Fn() -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    /// All leases, each with what its job says of its progress.
    pub(super) fn leases(&self) -> Vec<(Lease, Progress)> {
        let each = |(lease, entry): (&Lease, &Entry)| (lease.clone(), entry.progress.clone());
        self.lock().iter().map(each).collect()
    }

    /// Tells the job of this lease something.
    pub(super) fn tell(&self, lease: &Lease, signal: Signal) {
        if let Some(entry) = self.lock().get(lease) {
            entry.signal.send_replace(signal);
        }
    }

    /// Tells all jobs to end, and that their tasks are given back; says how many.
    pub(super) fn hand_back(&self) -> usize {
        let tasks = self.lock();
        for entry in tasks.values() {
            entry.signal.send_replace(Signal::HandBack);
        }
        tasks.len()
    }
}
