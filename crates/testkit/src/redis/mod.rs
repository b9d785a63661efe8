//! A Redis server of one's own.

mod cluster;

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use cluster::RedisCluster;

use crate::emulator;
use crate::process::run;
use crate::program::{Program, require};
use crate::{Process, TempDir, Tls, free_port, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// Every write is on disk before it is answered, and is there after a kill.
    pub appendonly: bool,
    /// Only TLS connections are accepted.
    pub tls: bool,
    /// Asked of every client.
    pub password: Option<String>,
    /// Further arguments of redis-server, such as `--maxmemory`, `10mb`.
    pub args: Vec<String>,
}

/// A Redis server on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct Redis {
    // Before the folders: fields are dropped in this order.
    process: Mutex<Option<Process>>,
    options: RedisOptions,
    port: u16,
    tls: Option<Tls>,
    dir: TempDir,
}

impl Redis {
    /// Starts one that keeps nothing on disk; takes some 50 ms.
    ///
    /// # Errors
    /// When Redis is not installed (names the package) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        Self::start_with(RedisOptions::default())
    }

    /// Starts one that accepts TLS only.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn start_tls() -> Result<Self> {
        Self::start_with(RedisOptions { tls: true, ..RedisOptions::default() })
    }

    /// Starts a cluster of three masters; takes some three seconds.
    ///
    /// # Errors
    /// As [`Redis::start`], or when the nodes do not find together.
    pub fn start_cluster() -> Result<RedisCluster> {
        RedisCluster::start(&RedisOptions::default())
    }

    /// Starts one.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn start_with(options: RedisOptions) -> Result<Self> {
        Self::start_on(free_port()?, options)
    }

    fn start_on(port: u16, options: RedisOptions) -> Result<Self> {
        require(&[Program::REDIS_SERVER, Program::REDIS_CLI])?;
        let tls = options.tls.then(Tls::generate).transpose()?;
        let dir = TempDir::new("redis")?;
        let server = Self { process: Mutex::new(None), options, port, tls, dir };
        server.start_again()?;
        Ok(server)
    }

    /// The one server of this process, started on first use. Tests use keys of their own in it.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Redis, String>> = OnceLock::new();
        emulator::shared(&SHARED, Self::start)
    }

    /// Its URL, `redis://` or `rediss://`, with the password if there is one.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// Its URL behind another port on 127.0.0.1, such as that of a [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        let password = self.options.password.as_ref();
        let password = password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("{scheme}://{password}127.0.0.1:{port}/")
    }

    /// The certificate authority, when it was started with TLS.
    pub fn ca_path(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(Tls::ca_path)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(Process::pid)
    }

    /// Runs one command with redis-cli and returns what it prints, such as `PONG`.
    ///
    /// # Errors
    /// When the server is away or answers with an error.
    pub fn cli(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(Program::REDIS_CLI.path()?);
        command.args(["-e", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(tls) = &self.tls {
            command.arg("--tls").arg("--cacert").arg(tls.ca_path());
        }
        if let Some(password) = &self.options.password {
            command.env("REDISCLI_AUTH", password);
        }
        Ok(run(command.args(args))?.trim_end().to_owned())
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(&self) -> Result<()> {
        match self.process().take() {
            Some(process) => process.stop("TERM", STOP_TIMEOUT).map(drop),
            None => Ok(()),
        }
    }

    /// Kills it at once.
    pub fn kill(&self) {
        if let Some(process) = self.process().take() {
            process.kill();
        }
    }

    /// Freezes it: connections stay open, nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.process().as_ref().context("this Redis server does not run")?.signal("STOP")
    }

    /// Goes on after [`Redis::pause`].
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.process().as_ref().context("this Redis server does not run")?.signal("CONT")
    }

    /// Starts it again on the same port and folder.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut slot = self.process();
        if slot.as_ref().is_some_and(Process::is_running) {
            bail!("this Redis server runs already");
        }
        let process = Process::spawn("redis-server", &self.command()?, &self.dir.join("log"))?;
        wait::eventually("a Redis server that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            match self.cli(&["PING"])?.as_str() {
                "PONG" => Ok(Ok(())),
                other => bail!("it says {other}"),
            }
        })
        .and_then(|answer| answer)
        .with_context(|| format!("Redis on port {}\n{}", self.port, process.log_end()))?;
        *slot = Some(process);
        Ok(())
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(Program::REDIS_SERVER.path()?);
        let port = self.port.to_string();
        let (plain, encrypted) = if self.tls.is_some() { ("0", &*port) } else { (&*port, "0") };
        command.args(["--port", plain, "--tls-port", encrypted, "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--daemonize", "no", "--dir"]).arg(self.dir.path());
        if self.options.appendonly {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        if let Some(tls) = &self.tls {
            command.arg("--tls-cert-file").arg(tls.cert_path());
            command.arg("--tls-key-file").arg(tls.key_path());
            command.arg("--tls-ca-cert-file").arg(tls.ca_path());
            command.args(["--tls-auth-clients", "no"]);
        }
        if let Some(password) = &self.options.password {
            command.args(["--requirepass", password]);
        }
        command.args(&self.options.args);
        Ok(command)
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
