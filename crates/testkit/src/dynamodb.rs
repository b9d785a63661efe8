//! An emulator of DynamoDB of one's own: dynoxide, from crates.io.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::{Process, TempDir, find_program, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// An emulator of DynamoDB on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct DynamoDb {
    // Before the folder: fields are dropped in this order.
    process: Mutex<Option<Process>>,
    port: u16,
    durable: bool,
    dir: TempDir,
}

impl DynamoDb {
    /// The version of dynoxide that the tests are for.
    pub const VERSION: &str = "3.2.0";
    /// What `cargo install` is given to install it, besides where.
    pub const INSTALL: &[&str] = &[
        "dynoxide-rs",
        "--version",
        Self::VERSION,
        "--locked",
        "--debug",
        "--no-default-features",
        "--features",
        "native-sqlite,http-server,cli",
    ];

    /// Where it is: on the path, or where `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn program() -> Result<PathBuf> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
        let cache = cache.or_else(home).unwrap_or_default();
        let dir = cache.join("outrigger-xtask/dynoxide/bin");
        find_program(&["dynoxide"], &[&dir.to_string_lossy()]).with_context(|| {
            format!("not found: dynoxide; install with: cargo install {}", Self::INSTALL.join(" "))
        })
    }

    /// Starts one that keeps everything in memory.
    ///
    /// # Errors
    /// When it is not installed (says how to) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        Self::start_with(false)
    }

    /// Starts one that has its tables again after a kill.
    ///
    /// # Errors
    /// As [`DynamoDb::start`].
    pub fn start_durable() -> Result<Self> {
        Self::start_with(true)
    }

    fn start_with(durable: bool) -> Result<Self> {
        let dir = TempDir::new("dynamodb")?;
        let server = Self { process: Mutex::new(None), port: free_port()?, durable, dir };
        server.start_again()?;
        Ok(server)
    }

    /// The one emulator of this process, started on first use. Tests have tables of their own in it.
    ///
    /// # Errors
    /// As [`DynamoDb::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<DynamoDb, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start().map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// The URL of a table that nobody else uses and that is not there yet.
    pub fn fresh_url(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.url_at(self.port, &format!("table-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of a table behind another port on 127.0.0.1, such as that of a
    /// [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16, table: &str) -> String {
        format!("dynamodb://us-east-1/{table}?endpoint=http://127.0.0.1:{port}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
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
        self.process().as_ref().context("this emulator does not run")?.signal("STOP")
    }

    /// Goes on after [`DynamoDb::pause`].
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.process().as_ref().context("this emulator does not run")?.signal("CONT")
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut command = Command::new(Self::program()?);
        command.args(["serve", "--port", &self.port.to_string()]);
        if self.durable {
            command.arg("--db-path").arg(self.dir.join("tables.db"));
        }
        let process = Process::spawn("dynoxide", &command, &self.dir.join("log"))?;
        wait::eventually("an emulator of DynamoDB that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            if net::accepts(self.port) { Ok(Ok(())) } else { bail!("no connection") }
        })
        .and_then(|answer| answer)
        .with_context(|| format!("dynoxide on port {}\n{}", self.port, process.log()))?;
        *self.process() = Some(process);
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
