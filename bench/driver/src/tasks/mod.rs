//! Background work: how many tasks one worker process finishes in a second, beside a bare Redis
//! stream; how soon a task starts, and what a worker asks of Redis, when there is nothing to do.

mod deployment;
mod monitor;
mod others;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use outrigger_testkit::eventually;
use serde_json::{Value, json};

use self::deployment::{Deployment, On};
use crate::answer::Expected;
use crate::build::Built;
use crate::load::{self, Until};
use crate::requests::{Order, Requests};
use crate::servers::Servers;
use crate::{out, stats};

/// Tasks that wait when the worker begins.
const IN_REDIS: u32 = 100_000;
const IN_DATABASE: u32 = 20_000;
/// Connections while tasks are enqueued.
const ENQUEUING: usize = 32;
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a worker that has nothing to do is watched.
const WATCH: Duration = Duration::from_secs(10);
/// Tasks whose start is timed, one after the other.
const TIMED: usize = 30;
const QUEUES: &str = "/api/v1/queues";
const TASKS: &str = "/api/v1/tasks";

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    /// For each place that tasks can be kept in.
    pub(crate) finished: Vec<Finished>,
    /// What a bare Redis stream allows, tasks a second.
    pub(crate) stream_rate: f64,
    /// The queues of others, unless they were left out.
    pub(crate) others: Vec<Other>,
    /// Commands a second that a worker without work sends to Redis.
    pub(crate) idle_commands: f64,
    /// From enqueuing to the start of the job, when the worker has nothing else to do: the median, in
    /// milliseconds.
    pub(crate) start_ms: f64,
}

pub(crate) use self::others::Other;

/// What one worker process finished.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// Where the tasks are.
    pub(crate) place: &'static str,
    /// How many there were.
    pub(crate) tasks: u32,
    /// Tasks a second.
    pub(crate) rate: f64,
    /// Processor time of the worker for 1,000 tasks, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The same of PostgreSQL and Redis.
    pub(crate) servers_cpu_ms: f64,
}

/// Measures the queue in Redis, in PostgreSQL and in SQLite.
///
/// # Errors
/// When a task does not succeed.
pub(crate) fn measure(built: &Built, servers: &Servers) -> Result<Tasks> {
    let stream_rate = stream(built, servers)?;
    let others =
        built.queues.as_ref().map_or(Ok(Vec::new()), |queues| others::all(queues, servers))?;
    let redis = Deployment::start(built, servers, On::Redis)?;
    let mut finished = vec![finish(&redis, servers, IN_REDIS)?];
    let start_ms = start(&redis)?;
    let idle_commands = idle(redis, servers)?;
    for on in [On::Postgres, On::Sqlite] {
        finished.push(finish(&Deployment::start(built, servers, on)?, servers, IN_DATABASE)?);
    }
    Ok(Tasks { finished, stream_rate, others, idle_commands, start_ms })
}

/// What the floor does with a stream and nothing else.
fn stream(built: &Built, servers: &Servers) -> Result<f64> {
    out::note("finishing tasks of a bare stream");
    let mut command = Command::new(&built.floor);
    let output = command.args([&servers.redis.url(), &IN_REDIS.to_string()]).output()?;
    if !output.status.success() {
        bail!("the floor: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Enqueues tasks while the queue is paused, and times how long they take from then on.
fn finish(deployment: &Deployment, servers: &Servers, count: u32) -> Result<Finished> {
    let place = deployment.on.name();
    out::note(&format!("enqueuing {count} tasks in {place}"));
    deployment.tell(&format!("{QUEUES}/default/pause"))?;
    let body = "{\"kind\":\"noop\",\"payload\":{\"echo\":#}}";
    let mut requests = Requests::new("POST", TASKS, Some(&deployment.token), Some(body))
        .over(count, Order::InTurn)
        .expecting(Expected { status: 202, body_bytes: 50..=2_000 });
    load::run(deployment.port(), ENQUEUING, &mut requests, Until::Count(count))?;
    let (before, servers_before) = (deployment.worker_cpu(), servers.cpu());
    let began = Instant::now();
    deployment.tell(&format!("{QUEUES}/default/resume"))?;
    eventually("the end of all tasks", PATIENCE, || match left(deployment)? {
        0 => Ok(()),
        some => bail!("{some} tasks are left"),
    })?;
    let took = began.elapsed();
    let per_1000 = |used: Duration| used.as_secs_f64() * 1_000_000.0 / f64::from(count);
    let cpu_ms = per_1000(deployment.worker_cpu().saturating_sub(before));
    let servers_cpu_ms = per_1000(servers.cpu().saturating_sub(servers_before));
    must_have_succeeded(deployment)?;
    let rate = f64::from(count) / took.as_secs_f64();
    out::note(&format!("{place}: {rate:.0} tasks/s"));
    Ok(Finished { place, tasks: count, rate, cpu_ms, servers_cpu_ms })
}

/// Tasks that wait or run.
fn left(deployment: &Deployment) -> Result<u64> {
    let queues = deployment.get(QUEUES)?;
    let queues = queues["items"].as_array().context("no list of queues")?;
    let default = queues.iter().find(|queue| queue["name"] == "default");
    let number = |name: &str| default.and_then(|queue| queue[name].as_u64()).unwrap_or_default();
    if number("dead") > 0 {
        bail!("{} tasks have died", number("dead"));
    }
    Ok(number("queued") + number("running"))
}

/// The newest hundred have, each with its result.
fn must_have_succeeded(deployment: &Deployment) -> Result<()> {
    let page = deployment.get(&format!("{TASKS}?limit=100"))?;
    let tasks = page["items"].as_array().context("no list of tasks")?;
    let is_right =
        |task: &&Value| task["status"] == "succeeded" && task["result"] == task["payload"]["echo"];
    let right = tasks.iter().filter(is_right).count();
    if right != 100 {
        bail!("{right} of the newest 100 tasks have succeeded with their result");
    }
    Ok(())
}

/// How soon single tasks start.
fn start(deployment: &Deployment) -> Result<f64> {
    let mut waits = Vec::new();
    for _ in 0..TIMED {
        let task = deployment.post(TASKS, &json!({"kind": "noop", "payload": {}}))?;
        let path = format!("{TASKS}/{}", task["id"].as_str().context("a task without an id")?);
        let done = eventually("the end of the task", PATIENCE, || {
            let task = deployment.get(&path)?;
            if task["status"] == "succeeded" { Ok(task) } else { bail!("{}", task["status"]) }
        })?;
        let time = |name: &str| -> Result<Timestamp> {
            Ok(done[name].as_str().context("a task without times")?.parse()?)
        };
        waits.push(time("started_at")?.duration_since(time("created_at")?).as_millis_f64());
    }
    Ok(stats::median(waits))
}

/// What the worker alone asks of Redis.
fn idle(deployment: Deployment, servers: &Servers) -> Result<f64> {
    out::note("watching a worker without work");
    let worker = deployment.keep_worker()?;
    let sent = monitor::commands(servers.redis.port(), WATCH)?;
    drop(worker);
    Ok(f64::from(sent) / WATCH.as_secs_f64())
}
