//! A process that takes requests and one that works; with SQLite they are one.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_testkit::{Process, TempDir, free_port};
use serde_json::{Value, json};

use crate::build::Built;
use crate::call::{call, call_json};
use crate::peers::{ours, wait_for};
use crate::proc;
use crate::servers::Servers;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Tasks that the worker runs at once: four times as many as one call claims, so that some are claimed while
/// others are settled.
const CONCURRENCY: &str = "800";

/// Where tasks are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Redis,
    Postgres,
    Sqlite,
}

impl On {
    /// Its name in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

/// The processes; the first takes requests, the last works.
pub(super) struct Deployment {
    pub(super) on: On,
    processes: Vec<Process>,
    port: u16,
    /// The administrator's.
    pub(super) token: String,
    /// Kept until the processes have ended.
    dir: TempDir,
}

impl Deployment {
    /// Starts them, in an empty database.
    pub(super) fn start(built: &Built, servers: &Servers, on: On) -> Result<Self> {
        let dir = TempDir::new("tasks")?;
        let name = on.name().to_lowercase();
        let mut settings = vec![("OUTRIGGER__WORKER__CONCURRENCY", CONCURRENCY.to_owned())];
        if on != On::Sqlite {
            let database = servers.postgres.create_database(&format!("bench_tasks_{name}"))?;
            settings.push(("DATABASE_URL", database));
            settings.push(("OUTRIGGER_SECRET", "0f3c6a9be27d41580f3c6a9be27d4158ab".to_owned()));
        }
        if on == On::Redis {
            settings.push(("REDIS_URL", servers.redis.url()));
            settings.push(("OUTRIGGER__REDIS__PREFIX", "bench_tasks:".to_owned()));
        }
        let port = free_port()?;
        let mut processes = Vec::new();
        let roles: &[&str] = if on == On::Sqlite { &[""] } else { &["api", "worker"] };
        for role in roles {
            let internal = free_port()?;
            let mut command = ours::embedded(&built.outrigger, dir.path(), port)?;
            command.envs(settings.iter().map(|(name, value)| (name, value)));
            command.env("OUTRIGGER__HTTP__INTERNAL_PORT", internal.to_string());
            command.env("OUTRIGGER__DEPLOYMENT__ROLES", role);
            processes.push(spawn(&command, &dir, role, internal)?);
        }
        let token = ours::admin_token(port)?;
        Ok(Self { on, processes, port, token, dir })
    }

    /// Where it takes requests.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The processor time that the worker has used so far.
    pub(super) fn worker_cpu(&self) -> Duration {
        self.processes.last().map_or(Duration::ZERO, |worker| proc::cpu(worker.pid()))
    }

    /// Asks as the administrator.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        call_json(self.port, "POST", path, Some(&self.token), body)
    }

    /// Tells something as the administrator that is answered with nothing.
    pub(super) fn tell(&self, path: &str) -> Result<()> {
        match call(self.port, "POST", path, Some(&self.token), Some(&json!({})))? {
            (204, _) => Ok(()),
            (status, text) => bail!("POST {path}: {status} {}", String::from_utf8_lossy(&text)),
        }
    }

    /// Asks as the administrator.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let (status, text) = call(self.port, "GET", path, Some(&self.token), None)?;
        if status != 200 {
            bail!("GET {path}: {status} {}", String::from_utf8_lossy(&text));
        }
        serde_json::from_slice(&text).with_context(|| format!("GET {path}"))
    }

    /// Ends all but the worker, which goes on until the value is dropped.
    pub(super) fn keep_worker(mut self) -> Result<(Process, TempDir)> {
        let worker = self.processes.pop().context("no worker")?;
        for process in self.processes {
            process.stop("INT", STOP_TIMEOUT)?;
        }
        Ok((worker, self.dir))
    }
}

fn spawn(command: &Command, dir: &TempDir, role: &str, internal: u16) -> Result<Process> {
    let process = Process::spawn("outrigger", command, &dir.join(format!("log-{role}")))?;
    wait_for(&process, internal, "/health/ready", 200)?;
    Ok(process)
}
