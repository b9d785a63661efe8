//! An emulator of MongoDB of one's own: mongoeco, from PyPI, which needs Python 3.13.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::{Process, TempDir, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const SCRIPT: &str = include_str!("server.py");

/// An emulator of MongoDB on 127.0.0.1 that keeps everything in memory, gone with its value.
#[derive(Debug)]
pub struct MongoDb {
    // Before the folder: fields are dropped in this order.
    process: Mutex<Option<Process>>,
    port: u16,
    dir: TempDir,
}

impl MongoDb {
    /// The emulator and all that it needs, as pip is told.
    pub const REQUIREMENTS: &str = include_str!("requirements.txt");

    /// The Python that has it: where `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn python() -> Result<PathBuf> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
        let bin = cache.or_else(home).unwrap_or_default().join("outrigger-xtask/mongoeco/bin");
        let found = bin.join("python");
        if !found.exists() {
            bail!("not found: the emulator of MongoDB; `cargo xtask test` installs it");
        }
        Ok(found)
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed (says how to) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        let (dir, port) = (TempDir::new("mongodb")?, free_port()?);
        std::fs::write(dir.join("server.py"), SCRIPT)?;
        let server = Self { process: Mutex::new(None), port, dir };
        server.start_again()?;
        Ok(server)
    }

    /// The one emulator of this process, started on first use. Tests have databases of their own in
    /// it.
    ///
    /// # Errors
    /// As [`MongoDb::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<MongoDb, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start().map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// The URL of a database that nobody else uses.
    pub fn fresh_url(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.url_at(self.port, &format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of a database behind another port on 127.0.0.1, such as that of a
    /// [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16, database: &str) -> String {
        format!("mongodb://127.0.0.1:{port}/{database}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it at once; it forgets everything.
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

    /// Goes on after [`MongoDb::pause`].
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.process().as_ref().context("this emulator does not run")?.signal("CONT")
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut command = Command::new(Self::python()?);
        command.arg(self.dir.join("server.py")).args(["--port", &self.port.to_string()]);
        let process = Process::spawn("mongoeco", &command, &self.dir.join("log"))?;
        wait::eventually("an emulator of MongoDB that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            if net::accepts(self.port) { Ok(Ok(())) } else { bail!("no connection") }
        })
        .and_then(|answer| answer)
        .with_context(|| format!("mongoeco on port {}\n{}", self.port, process.log()))?;
        *self.process() = Some(process);
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
