//! The worker: claims tasks, runs their jobs, keeps their leases, and says how they ended.
//!
//! One loop claims as long as there is room. Every job is a task of the runtime of its own; its lease
//! is extended by one loop for all. When a lease is lost, the job is dropped on the spot: another
//! worker may run it already, and whatever this one would say is refused. How jobs end is told to
//! the queue for many at once.

mod claims;
mod execute;
mod keep;
mod running;
mod settle;
mod stop;
mod suspects;
#[cfg(test)]
mod tests;
mod work;

use std::sync::Arc;
use std::time::Duration;

use outrigger_domain::Services;
use outrigger_kernel::{Clock, Random, Tracer};
use outrigger_ports::queue::{Queue, TaskBoard};
use tokio::sync::Mutex;

use crate::health::Health;
use crate::registry::Registry;
use running::Running;
use settle::Settler;
use suspects::Suspects;

pub use keep::tend;
pub use stop::Stop;

/// The pause of a worker between two rounds of tending.
const TEND: Duration = Duration::from_secs(1);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name; no two workers have the same.
    pub name: String,
    /// From these queues, each in its turn.
    pub queues: Vec<String>,
    /// So many tasks at once.
    pub concurrency: usize,
    /// How long a lease holds unless it is extended; a third of it is the pause between two signs of
    /// life. A task whose worker was killed runs again after about this time.
    pub lease: Duration,
}

/// A worker; runs on the runtime that calls [`Worker::run`].
#[derive(Clone, Debug)]
pub struct Worker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    services: Services,
    queue: Arc<dyn Queue>,
    registry: Registry,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    tracer: Option<Tracer>,
    options: Options,
    running: Running,
    settler: Settler,
    suspects: Suspects,
    health: Health,
    /// Whose turn it is to give signs of life.
    beating: Mutex<()>,
}

/// What a worker is made of.
#[derive(Debug)]
pub struct Parts {
    /// What jobs can do.
    pub services: Services,
    /// Where tasks come from.
    pub queue: Arc<dyn Queue>,
    /// Where what became of them is looked up.
    pub board: Arc<dyn TaskBoard>,
    /// What it runs.
    pub registry: Registry,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Spreads what would come at once.
    pub random: Arc<dyn Random>,
    /// Makes spans of tasks, if traces are collected.
    pub tracer: Option<Tracer>,
}

impl Worker {
    /// A worker that has not begun.
    pub fn new(parts: Parts, options: Options) -> Self {
        Self(Arc::new(Inner {
            running: Running::new(options.concurrency),
            settler: Settler::new(parts.queue.clone()),
            suspects: Suspects::new(parts.board),
            health: Health::new(parts.clock.clone()),
            beating: Mutex::default(),
            services: parts.services,
            queue: parts.queue,
            registry: parts.registry,
            clock: parts.clock,
            random: parts.random,
            tracer: parts.tracer,
            options,
        }))
    }

    /// Whether it consumes.
    pub fn health(&self) -> Health {
        self.0.health.clone()
    }

    /// Works until it is told to stop; then finishes what it can until the given instant, and hands
    /// the rest back.
    pub async fn run(&self, stop: Stop) {
        let worker = self.0.clone();
        let keep = move || keep::leases(worker.clone());
        let kept = tokio::spawn(async move { keep::again("leases", keep).await });
        let queue = self.0.queue.clone();
        let tend = move || keep::tend(queue.clone(), TEND);
        let tended = tokio::spawn(async move { keep::again("tend", tend).await });
        claims::run(&self.0, stop.clone()).await;
        tracing::info!(running = self.0.running.count(), "the worker claims nothing more");
        tokio::select! {
            () = self.0.running.emptied() => {}
            () = stop.deadline() => {
                let left = self.0.running.hand_back();
                tracing::info!(tasks = left, "tasks are handed back to the queue");
                let _ = tokio::time::timeout(stop::HAND_BACK, self.0.running.emptied()).await;
            }
        }
        kept.abort();
        tended.abort();
    }
}
