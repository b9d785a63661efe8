//! What emulators have in common: a program on a port of its own that is killed, frozen and started
//! again.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::{Process, TempDir, free_port, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// A program that listens on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub(crate) struct Emulator {
    // Before the folder: fields are dropped in this order.
    process: Mutex<Option<Process>>,
    name: &'static str,
    pub(crate) port: u16,
    pub(crate) dir: TempDir,
}

impl Emulator {
    /// A place for the program of this name, which does not run yet.
    pub(crate) fn new(name: &'static str) -> Result<Self> {
        Ok(Self { process: Mutex::default(), name, port: free_port()?, dir: TempDir::new(name)? })
    }

    /// Runs the command until it answers.
    ///
    /// # Errors
    /// When it does not start; the error holds the end of its log.
    pub(crate) fn start(&self, command: &Command, asked: impl Fn() -> Result<()>) -> Result<()> {
        let process = Process::spawn(self.name, command, &self.dir.join("log"))?;
        let what = format!("an answer of {}", self.name);
        wait::eventually(&what, START_TIMEOUT, || match process.check_running() {
            Ok(()) => asked().map(Ok),
            Err(ended) => Ok(Err(ended)),
        })
        .and_then(|answer| answer)
        .with_context(|| format!("{} on port {}\n{}", self.name, self.port, process.log_end()))?;
        *self.process() = Some(process);
        Ok(())
    }

    /// Kills it at once.
    pub(crate) fn kill(&self) {
        if let Some(process) = self.process().take() {
            process.kill();
        }
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let process = self.process();
        process.as_ref().with_context(|| format!("{} does not run", self.name))?.signal(signal)
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one of this process, started on first use.
pub(crate) fn shared<T>(
    once: &'static OnceLock<Result<T, String>>,
    start: fn() -> Result<T>,
) -> Result<&'static T> {
    let shared = once.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    shared.as_ref().map_err(|error| anyhow!("{error}"))
}

/// Where `cargo xtask test` installs the program of this name.
pub(crate) fn installed(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    cache.or_else(home).unwrap_or_default().join("outrigger-xtask").join(name)
}

/// The program of this name that pip has installed, as `src/FOLDER/requirements.txt` says.
///
/// # Errors
/// Says how to install it.
pub(crate) fn from_pip(name: &str, folder: &str) -> Result<PathBuf> {
    let dir = installed(name);
    let program = dir.join("bin").join(name);
    ensure!(
        program.exists(),
        "not found: {}; `cargo xtask test` installs it; or make a virtual environment in {} and \
         install crates/testkit/src/{folder}/requirements.txt in it",
        program.display(),
        dir.display()
    );
    Ok(program)
}
