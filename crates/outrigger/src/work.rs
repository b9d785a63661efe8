//! The background work of a process: the worker, on a thread with a runtime, connections and services
//! of its own; and the scheduler.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_domain::Services;
use outrigger_domain::services::Shared;
use outrigger_kernel::{Tracer, id};
use outrigger_worker::{Health, Options, Parts, Registry, Scheduler, Stop, Worker};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::compose::{Backends, services};
use crate::config::Config;
use crate::lifecycle::runtime;
use crate::server::Phase;

/// A worker that runs.
pub(crate) struct Working {
    thread: JoinHandle<()>,
    stop: watch::Sender<Option<Instant>>,
    /// Whether it consumes.
    pub(crate) health: Health,
}

impl Working {
    /// Lets it claim nothing more, finish what it can in this time, and hand the rest back.
    pub(crate) fn stop(&self, within: Duration) {
        self.stop.send_replace(Some(Instant::now() + within));
    }

    /// Waits until it has ended.
    pub(crate) fn join(self) {
        let _ = self.thread.join();
    }
}

/// Starts a worker of these jobs.
///
/// # Errors
/// When its thread or connections cannot be had.
pub(crate) fn start(
    config: &Config,
    backends: &Arc<Backends>,
    shared: &Shared,
    registry: &Registry,
    tracer: Option<Tracer>,
) -> Result<Working> {
    let (stop, stopped) = Stop::channel();
    let (ready, started) = std::sync::mpsc::channel();
    let options = options(config, backends);
    let (backends, shared, registry) = (backends.clone(), shared.clone(), registry.clone());
    let run = move || {
        let made = runtime().and_then(|runtime| {
            let worker = runtime.block_on(async {
                let connected = backends.connect().await?;
                connected.settle().await;
                let ports = connected.ports;
                let parts = Parts {
                    services: services(&ports, &shared),
                    queue: ports.queue,
                    board: ports.board,
                    registry,
                    clock: ports.clock,
                    random: ports.random,
                    tracer,
                };
                anyhow::Ok(Worker::new(parts, options))
            })?;
            Ok((runtime, worker))
        });
        match made {
            Ok((runtime, worker)) => {
                let _ = ready.send(Ok(worker.health()));
                runtime.block_on(worker.run(stopped));
            }
            Err(error) => _ = ready.send(Err(error)),
        }
    };
    let thread = std::thread::Builder::new()
        .name("worker".to_owned())
        .spawn(run)
        .context("the worker's thread cannot be started")?;
    let health = started.recv().context("the worker ended at its start")??;
    Ok(Working { thread, stop, health })
}

/// Fires the schedules' ticks, while no other process does, until this one begins to end.
pub(crate) fn schedule(
    backends: &Backends,
    services: &Services,
    mut phase: watch::Receiver<Phase>,
) -> impl Future<Output = ()> + Send + use<> {
    let schedules = services.schedules.clone();
    let scheduler = Scheduler::new(name("sch", backends), schedules, backends.clock());
    async move {
        let ending = async {
            let _sender_gone = phase.wait_for(|phase| *phase != Phase::Running).await;
        };
        scheduler.run(ending).await;
    }
}

/// A name that no other process has.
pub(crate) fn name(prefix: &str, backends: &Backends) -> String {
    let mut mark = [0_u8; 6];
    backends.random().fill(&mut mark);
    format!("{prefix}_{}_{}", std::process::id(), id::hex(&mark))
}

fn options(config: &Config, backends: &Backends) -> Options {
    Options {
        name: name("wrk", backends),
        queues: config.worker.queues.clone(),
        concurrency: config.worker.concurrency,
        lease: Duration::from_secs(config.worker.lease_s),
    }
}
