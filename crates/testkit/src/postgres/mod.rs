//! A PostgreSQL server of one's own.

mod data;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::process::{run, signal_pids};
use crate::program::{Program, require};
use crate::{Process, TempDir, Tls, free_port, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// The superuser, and its password where one is asked for (TLS).
const USER: &str = "app";
const PASSWORD: &str = "testkit-password";

/// How a server is started.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Whether a commit waits for the disk; needed only where the server itself is killed.
    pub durable: bool,
    /// Only TLS connections with a password (SCRAM) are accepted.
    pub tls: bool,
    /// Most connections at once.
    pub max_connections: u32,
    /// Further settings, name and value.
    pub settings: Vec<(String, String)>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { durable: false, tls: false, max_connections: 200, settings: Vec::new() }
    }
}

/// A PostgreSQL server on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct Postgres {
    // Before the folders: fields are dropped in this order.
    process: Mutex<Option<Process>>,
    options: PostgresOptions,
    port: u16,
    tls: Option<Tls>,
    dir: TempDir,
}

impl Postgres {
    /// Starts one with the default options; about a quarter of a second, one for the first.
    ///
    /// # Errors
    /// When PostgreSQL is not installed (names the package) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        Self::start_with(PostgresOptions::default())
    }

    /// Starts one that accepts TLS only.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_tls() -> Result<Self> {
        Self::start_with(PostgresOptions { tls: true, ..PostgresOptions::default() })
    }

    /// Starts one.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_with(options: PostgresOptions) -> Result<Self> {
        require(&[Program::POSTGRES, Program::INITDB, Program::PSQL])?;
        let dir = TempDir::new("postgres")?;
        data::make(&dir.join("data"))?;
        let tls = options.tls.then(Tls::generate).transpose()?;
        if let Some(tls) = &tls {
            data::require_tls(&dir.join("data"), tls)?;
        }
        let port = free_port()?;
        let server = Self { process: Mutex::new(None), options, port, tls, dir };
        server.start_again()?;
        if server.tls.is_some() {
            // Connections from this machine's superuser come without TLS only here, before any
            // test can connect: the rules are tightened once the password is set.
            server.psql(&format!("alter user {USER} password '{PASSWORD}'"))?;
            data::close_to_plain(&server.dir.join("data"))?;
            server.psql("select pg_reload_conf()")?;
            server.wait_for_password()?;
        }
        Ok(server)
    }

    /// The one server of this process, started on first use. Tests make databases of their own
    /// in it.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start().map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// The URL of the database `postgres` in it, without parameters.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database in it, without parameters.
    pub fn url_of(&self, database: &str) -> String {
        self.url_at(self.port, database)
    }

    /// The URL of a database behind another port on 127.0.0.1, such as that of a
    /// [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16, database: &str) -> String {
        let password = if self.tls.is_some() { format!(":{PASSWORD}") } else { String::new() };
        format!("postgres://{USER}{password}@127.0.0.1:{port}/{database}")
    }

    /// The same as [`Postgres::url`] with `sslmode=require`.
    pub fn tls_url(&self) -> String {
        format!("{}?sslmode=require", self.url())
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

    /// The end of the server's log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// When there is one of this name.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.psql(&format!("create database \"{name}\" template template0"))?;
        Ok(self.url_of(name))
    }

    /// Makes an empty database with a name of its own and returns its URL.
    ///
    /// # Errors
    /// When the server is away.
    pub fn fresh_database(&self) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.create_database(&format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Runs SQL in the database `postgres`; rows by line, columns separated by `|`.
    ///
    /// # Errors
    /// What psql says.
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.psql_in("postgres", sql)
    }

    /// Runs SQL in a database.
    ///
    /// # Errors
    /// What psql says.
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = Command::new(Program::PSQL.path()?);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]);
        command.args(["-p", &self.port.to_string(), "-U", USER, "-d", database, "-c", sql]);
        command.env("PGCONNECT_TIMEOUT", "60").env("PGPASSWORD", PASSWORD);
        Ok(run(&mut command)?.trim_end().to_owned())
    }

    /// Ends it in order (fast shutdown: sessions are cut, everything is on disk).
    ///
    /// # Errors
    /// When it had to be killed.
    pub fn stop(&self) -> Result<()> {
        match self.process().take() {
            Some(process) => process.stop("INT", STOP_TIMEOUT).map(drop),
            None => Ok(()),
        }
    }

    /// Kills the server and all its sessions at once, as a power cut would.
    pub fn kill(&self) {
        let Some(process) = self.process().take() else { return };
        // Standing still it starts no session that would outlive it and keep its shared memory.
        let _ = process.signal("STOP");
        let mut pids = children(process.pid());
        pids.insert(0, process.pid());
        // Sessions that have just ended by themselves are no fault.
        let _ = signal_pids("KILL", &pids);
        process.kill();
        let gone = || pids.iter().all(|pid| !is_alive(*pid));
        let _ = wait::wait_until("the end of all sessions", STOP_TIMEOUT, gone);
    }

    /// Starts it again on the same port and data.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut slot = self.process();
        if slot.as_ref().is_some_and(Process::is_running) {
            bail!("this PostgreSQL server runs already");
        }
        let user = data::server_user()?;
        let log = self.dir.join("log");
        // INT as the death signal is the fast shutdown, which also frees its shared memory.
        let process = Process::spawn_as("postgres", &self.command()?, &log, "INT", user)?;
        wait::eventually("a PostgreSQL server that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            self.psql("select 1").map(Ok)
        })
        .and_then(|answer| answer)
        .with_context(|| format!("PostgreSQL on port {}\n{}", self.port, process.log_end()))?;
        *slot = Some(process);
        Ok(())
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(Program::POSTGRES.path()?);
        command.arg("-D").arg(self.dir.join("data"));
        let port = self.port.to_string();
        let connections = self.options.max_connections.to_string();
        let on_disk = if self.options.durable { "on" } else { "off" };
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", ""),
            ("max_connections", &connections),
            ("shared_buffers", "64MB"),
            ("fsync", on_disk),
            ("full_page_writes", on_disk),
            ("log_timezone", "UTC"),
            ("timezone", "UTC"),
        ];
        let further = self.options.settings.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        for (name, value) in own.into_iter().chain(further) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        if self.tls.is_some() {
            command.args(["-c", "ssl=on"]);
        }
        Ok(command)
    }

    fn wait_for_password(&self) -> Result<()> {
        wait::eventually("a PostgreSQL server that refuses plain text", START_TIMEOUT, || {
            let mut command = Command::new(Program::PSQL.path()?);
            command.args(["-X", "-A", "-t", "-c", "select 1"]);
            command.arg(format!("{}?sslmode=disable", self.url()));
            match run(&mut command) {
                Ok(_) => bail!("it accepts plain text"),
                Err(_) => self.psql("select 1").map(drop),
            }
        })
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // In order, because a killed server leaves a piece of shared memory behind.
        let _ = self.stop();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether the process is there and no zombie.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which stands in parentheses.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}
