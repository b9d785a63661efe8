//! From start to end: what `serve` does, in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_domain::replicas::Replicas;
use outrigger_domain::services::Shared;
use outrigger_domain::{Ports, Services};
use outrigger_http::health::Health;
use outrigger_http::layers::{InFlight, Layers};
use outrigger_http::transfers::{TransferBounds, Transfers};
use outrigger_http::{AppState, Operation};
use outrigger_kernel::Ctx;
use outrigger_ports::store::{MigrateMode, Store};
use outrigger_worker::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::compose::{Backends, check_queue, registry, services, shared};
use crate::config::{Config, Loaded, Role, insecurities};
use crate::inspecting::Inspecting;
use crate::readings::Readings;
use crate::server::{self, Bounds, Lane, Phase, Serving};
use crate::traces::Traces;
use crate::vitals::Vitals;
use crate::work::{self, Working};
use crate::{
    Additions, bootstrap, embedded_metrics, internal, operator, probes, purge, queue_levels,
    signals, telemetry, upkeep,
};

/// How long a start waits for another process's migration.
const MIGRATION_WAIT: Duration = Duration::from_secs(60);

/// What is left of the time to stop for handing tasks back.
const HAND_BACK: Duration = Duration::from_secs(3);

/// Everything that the threads of a serving process share.
struct Process {
    config: Config,
    backends: Arc<Backends>,
    shared: Shared,
    http: Arc<outrigger_http::Settings>,
    health: Arc<Health>,
    in_flight: Arc<InFlight>,
    transfers: Arc<Transfers>,
    inspector: Arc<Inspecting>,
    operations: Vec<Operation>,
    bounds: Bounds,
    phase: watch::Receiver<Phase>,
    /// What no other process is called.
    name: String,
    traces: Arc<Traces>,
}

/// Serves until told to stop.
///
/// # Errors
/// One line that names the cause and the setting, when the start does not succeed.
pub(crate) fn serve(loaded: &Loaded, additions: &Additions) -> Result<()> {
    let config = &loaded.config;
    let insecure = insecurities(config);
    if config.is_production() && !insecure.is_empty() {
        bail!("not fit for production:\n  - {}", insecure.join("\n  - "));
    }
    telemetry::start_logs(&config.log)?;
    let metrics = telemetry::start_metrics()?;
    let runtime = runtime()?;
    let (phase_sender, phase) = watch::channel(Phase::Running);
    runtime.block_on(async {
        let listener = match config.has_role(Role::Api) {
            true => Some(listen(config, config.http.port, "http.port").await?),
            false => None,
        };
        let internal = listen(config, config.http.internal_port, "http.internal_port").await?;
        let registry = registry(additions)?;
        let backends = Arc::new(Backends::open(config)?);
        let connected = backends.connect().await?.watching(&backends).await?;
        connected.settle().await;
        prepare_store(config, &*connected.ports.store).await?;
        probes::warn(&*connected.ports.store).await;
        check_queue(config).await?;
        let kinds = registry.kinds(&config.tasks.external_kinds);
        let shared = shared(config, kinds.context("tasks.external_kinds")?, &connected.ports)?;
        let main = services(&connected.ports, &shared);
        main.auth.load_keys().await.context("auth.secret: the signing keys cannot be read")?;
        bootstrap::administrator(config, &main).await?;
        let health = Arc::new(Health::new(config.roles().join("+"), backends.clock()));
        probes::once(&connected, &health).await;
        // Before anything cached is believed; when it fails, it is tried again below.
        let _ = connected.ports.cache.look().await;
        let name = work::name("rpl", &backends);
        let process = Arc::new(Process {
            traces: Arc::new(Traces::start(config, &name)?),
            name,
            http: Arc::new(http_settings(config)),
            in_flight: Arc::default(),
            transfers: Arc::new(Transfers::new(transfer_bounds(config))),
            bounds: bounds(config),
            config: config.clone(),
            inspector: Arc::new(Inspecting::new(loaded, &backends)),
            backends,
            shared,
            health: health.clone(),
            operations: additions.operations.clone(),
            phase: phase.clone(),
        });
        announce(config, listener.as_ref(), &internal)?;
        let threads = start_serving(listener, &process)?;
        let working = start_worker(&process, &registry)?;
        look_after_queue(config, &process, &connected.ports, working.is_some());
        let scheduling = scheduling(config, &process, &main, phase).await?;
        tokio::spawn(operator::serve(config.clone(), process.backends.clone()));
        let readings = Readings::new(metrics, process.in_flight.clone(), process.transfers.clone());
        let replicas = tell_of(&process, &main, &readings).await;
        let metrics = write_metrics(config, &readings)?;
        tokio::spawn(internal::serve(internal, readings, health.clone()));
        keep_up(&process, &connected.ports, main);
        let worker = working.as_ref().map(|working| working.health.clone());
        tokio::spawn(probes::run(connected, health.clone(), worker));
        let drain = signals::wait().await?;
        let traces = process.traces.clone();
        let running = Work { threads, working, scheduling, replicas, traces, metrics };
        stop(config, drain, &health, &phase_sender, running).await
    })
}

/// A single-threaded runtime.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

async fn listen(config: &Config, port: u16, key: &str) -> Result<TcpListener> {
    let address = config.listen_address();
    TcpListener::bind((address, port))
        .await
        .with_context(|| format!("cannot listen on {address}:{port} ({key})"))
}

/// Brings the schema up to date, or makes sure that it is; and that no import has been cut off there.
///
/// # Errors
/// When the database cannot be used, lacks a migration that is not to be applied here, or has a part of
/// an archive only.
pub(crate) async fn prepare_store(config: &Config, store: &dyn Store) -> Result<()> {
    migrate(config, store).await?;
    outrigger_archive::ensure_whole(store).await.context("database.url")
}

async fn migrate(config: &Config, store: &dyn Store) -> Result<()> {
    let reach = "database.url: the database cannot be used";
    if config.database.migrate_on_start {
        store.migrate(MigrateMode::Apply { wait: MIGRATION_WAIT }).await.context(reach)?;
        return Ok(());
    }
    let planned = store.migrate(MigrateMode::Plan).await.context(reach)?;
    match planned.iter().find(|migration| !migration.applied) {
        None => Ok(()),
        Some(missing) => bail!(
            "the database lacks the migration {}: run `outrigger migrate apply` (database.migrate_on_start is off)",
            missing.name
        ),
    }
}

fn http_settings(config: &Config) -> outrigger_http::Settings {
    let http = &config.http;
    outrigger_http::Settings {
        public_url: config.public_url(),
        concurrency_max: http.concurrency_max,
        body_bytes_max: http.body_bytes_max,
        query_bytes_max: http.query_bytes_max,
        header_bytes_max: http.header_bytes_max,
        forwarded_hops: http.forwarded_hops,
        cors_origins: http.cors_origins.clone(),
        docs: http.docs,
        console: http.console,
        hsts: http.hsts,
        services: http.services.clone(),
    }
}

fn bounds(config: &Config) -> Bounds {
    Bounds {
        connections_max: config.http.connections_max,
        header_bytes_max: config.http.header_bytes_max,
        keep_alive: Duration::from_secs(config.http.keep_alive_s),
        header_timeout: Duration::from_secs(config.http.header_timeout_s),
        request_timeout: Duration::from_secs(config.http.request_timeout_s),
        write_timeout: Duration::from_secs(config.http.write_timeout_s),
    }
}

fn transfer_bounds(config: &Config) -> TransferBounds {
    TransferBounds {
        uploads_max: config.files.uploads_max,
        downloads_max: config.files.downloads_max,
        bytes_per_s_min: config.files.bytes_per_s_min,
    }
}

type Threads = Vec<std::thread::JoinHandle<()>>;

/// Takes connections, if this process is to.
fn start_serving(listener: Option<TcpListener>, process: &Arc<Process>) -> Result<Threads> {
    let Some(listener) = listener else { return Ok(Vec::new()) };
    let (lanes, threads) = start_threads(process)?;
    tokio::spawn(server::accept(listener, lanes, process.bounds, process.phase.clone()));
    Ok(threads)
}

/// Runs tasks, if this process is to.
fn start_worker(process: &Process, registry: &Registry) -> Result<Option<Working>> {
    let Process { config, backends, shared, traces, .. } = process;
    if !config.has_role(Role::Worker) {
        return Ok(None);
    }
    work::start(config, backends, shared, registry, traces.tracer(backends)).map(Some)
}

/// Starts the threads and waits until each has its connections.
fn start_threads(process: &Arc<Process>) -> Result<(Vec<Lane>, Threads)> {
    let mut lanes = Vec::new();
    let mut threads = Vec::new();
    let (ready_sender, ready) = std::sync::mpsc::channel();
    for number in 0..process.config.threads() {
        let (lane, serving) = server::lane();
        let (process, ready) = (process.clone(), ready_sender.clone());
        let thread = std::thread::Builder::new()
            .name(format!("serve-{number}"))
            .spawn(move || run_thread(&process, serving, &ready))
            .context("a thread cannot be started")?;
        lanes.push(lane);
        threads.push(thread);
    }
    for _ in &lanes {
        ready.recv().context("a thread ended at its start")??;
    }
    Ok((lanes, threads))
}

/// One serving thread: its own runtime, connections and services.
fn run_thread(process: &Process, serving: Serving, ready: &std::sync::mpsc::Sender<Result<()>>) {
    let started = runtime().and_then(|runtime| {
        let layers = runtime.block_on(async {
            let connected = process.backends.connect().await?;
            connected.settle().await;
            let ports = connected.ports;
            let app = AppState::new(
                services(&ports, &process.shared),
                process.http.clone(),
                process.health.clone(),
                process.transfers.clone(),
                process.inspector.clone(),
                process.operations.clone(),
            );
            let random = process.backends.random();
            let tracer = process.traces.tracer(&process.backends);
            anyhow::Ok(Arc::new(Layers::new(&app, process.in_flight.clone(), &*random, tracer)))
        })?;
        Ok((runtime, layers))
    });
    match started {
        Ok((runtime, layers)) => {
            let _ = ready.send(Ok(()));
            let phase = process.phase.clone();
            runtime.block_on(server::serve(serving, layers, process.bounds, phase));
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    }
}

fn announce(config: &Config, listener: Option<&TcpListener>, internal: &TcpListener) -> Result<()> {
    let Some(listener) = listener else {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            internal = %internal.local_addr()?,
            database = crate::config::redact_url(config.database.url.expose()),
            "outrigger runs as {}",
            config.roles().join(" and "),
        );
        return Ok(());
    };
    let public: SocketAddr = listener.local_addr()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address = %public,
        internal = %internal.local_addr()?,
        database = crate::config::redact_url(config.database.url.expose()),
        threads = config.threads(),
        "outrigger serves at {}; the API is described at {}/docs",
        config.public_url(),
        config.public_url(),
    );
    Ok(())
}

/// What runs until the end.
struct Work {
    threads: Threads,
    working: Option<Working>,
    scheduling: Option<JoinHandle<()>>,
    replicas: Replicas,
    traces: Arc<Traces>,
    metrics: Option<embedded_metrics::Writer>,
}

/// Does the background work that needs no queue.
fn keep_up(process: &Process, ports: &Ports, services: Services) {
    let refresh = Duration::from_secs(process.config.secrets.refresh_s);
    tokio::spawn(process.config.vault.clone().keep_fresh(refresh));
    if process.config.redis.url.is_set() {
        tokio::spawn(upkeep::keep_current(ports.cache.clone()));
    }
    let analytics = services.analytics.clone();
    if process.config.has_role(Role::Worker) {
        tokio::spawn(upkeep::count_events(analytics, process.backends.random()));
    } else {
        tokio::spawn(upkeep::tell_events_lag(analytics));
    }
    tokio::spawn(upkeep::sweep_files(services.files.clone()));
    tokio::spawn(purge::run(ports.store.clone()));
    tokio::spawn(upkeep::run(services, process.backends.random()));
}

/// Tells the other processes of this one, from now on.
async fn tell_of(process: &Process, services: &Services, readings: &Readings) -> Replicas {
    let replicas = &services.replicas;
    let (health, name) = (&process.health, process.name.clone());
    let vitals = Vitals::new(&process.backends, replicas, health, readings.clone(), name);
    vitals.begin().await;
    tokio::spawn(vitals.run());
    replicas.clone()
}

/// Writes metrics to standard output from now on, if that was asked for.
fn write_metrics(config: &Config, readings: &Readings) -> Result<Option<embedded_metrics::Writer>> {
    let every = Duration::from_secs(config.metrics.embedded_every_s);
    if every.is_zero() {
        return Ok(None);
    }
    let deployment = config.metrics.deployment.clone();
    let writer = embedded_metrics::Writer::start(readings.clone(), deployment, every);
    writer.context("metrics").map(Some)
}

/// Tells of the queue in the metrics; and does what time demands of it when no worker of this process
/// does, as workers elsewhere may take leases from here.
fn look_after_queue(config: &Config, process: &Process, ports: &Ports, has_worker: bool) {
    if !has_worker {
        tokio::spawn(outrigger_worker::tend(ports.queue.clone(), upkeep::TEND));
    }
    let (board, queues) = (ports.board.clone(), config.worker.queues.clone());
    tokio::spawn(queue_levels::run(board, process.backends.clock(), queues));
}

/// Brings the schedules of the settings into the store, and starts the scheduler, if this process is
/// to be one; it ends when the process begins to.
async fn scheduling(
    config: &Config,
    process: &Process,
    services: &Services,
    phase: watch::Receiver<Phase>,
) -> Result<Option<JoinHandle<()>>> {
    if !config.has_role(Role::Scheduler) {
        return Ok(None);
    }
    services
        .schedules
        .configure(&Ctx::system("start"), &config.schedules)
        .await
        .context("the schedules of the settings cannot be used")?;
    Ok(Some(tokio::spawn(work::schedule(&process.backends, services, phase))))
}

/// Drains, closes, and waits for what is in flight, all inside one budget.
async fn stop(
    config: &Config,
    drain: bool,
    health: &Health,
    phase: &watch::Sender<Phase>,
    running: Work,
) -> Result<()> {
    let Work { threads, working, scheduling, replicas, traces, metrics } = running;
    let budget = tokio::time::sleep(Duration::from_secs(config.http.shutdown_s));
    let mut budget = std::pin::pin!(budget);
    health.drain();
    if let Some(working) = &working {
        working.stop(Duration::from_secs(config.http.shutdown_s).saturating_sub(HAND_BACK));
    }
    if drain {
        tracing::info!(drain_s = config.http.drain_s, "draining: /health says 503 from now on");
        phase.send_replace(Phase::Draining);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(config.http.drain_s)) => {}
            again = signals::wait() => { again?; end_at_once(); }
        }
    }
    phase.send_replace(Phase::Closing);
    let joined = tokio::task::spawn_blocking(move || {
        for thread in threads {
            let _ = thread.join();
        }
        working.into_iter().for_each(Working::join);
        traces.stop();
    });
    let joined = async {
        if let Some(scheduling) = scheduling {
            let _ = scheduling.await;
        }
        let joined = joined.await;
        if let Err(error) = replicas.leave().await {
            tracing::debug!(source = %error, "this replica is listed until it is missed");
        }
        joined
    };
    tokio::select! {
        _ = joined => tracing::info!("stopped"),
        () = budget.as_mut() => {
            tracing::warn!(shutdown_s = config.http.shutdown_s, "stopped with requests in flight");
        }
        again = signals::wait() => { again?; end_at_once(); }
    }
    if let Some(metrics) = metrics {
        metrics.stop();
    }
    std::process::exit(0);
}

fn end_at_once() -> ! {
    tracing::warn!("stopped at once: a second signal came");
    std::process::exit(0);
}
