//! A child process that ends with this one, and whose output is kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{root, spawner};

/// How much of a log goes into an error.
const LOG_TAIL_BYTES: usize = 4_000;

/// A running program. Killed on drop and when this process ends.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    child: Mutex<Child>,
    log: PathBuf,
    pid_file: PathBuf,
}

impl Process {
    /// Starts the command with its output appended to the file `log`. Arguments, working folder
    /// and single changes of the environment are taken from `command`; its stdio is not.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> Result<Self> {
        Self::spawn_as(name, command, log, "KILL", None)
    }

    pub(crate) fn spawn_as(
        name: &str,
        command: &Command,
        log: &Path,
        death_signal: &str,
        user: Option<&str>,
    ) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("cannot write {}", log.display()))?;
        let mut wrapped = spawner::wrap(command, death_signal, user)?;
        wrapped.stdout(Stdio::from(output.try_clone()?)).stderr(Stdio::from(output));
        let child = spawner::spawn(wrapped).with_context(|| format!("cannot start {name}"))?;
        let pid = child.id();
        let pid_file = root::pid_file(pid)?;
        std::fs::write(&pid_file, name)?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            child: Mutex::new(child),
            log: log.to_owned(),
            pid_file,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where all that it writes is kept.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All that it has written so far.
    pub fn log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The end of that, for an error. What is looked for may stand before it.
    pub fn log_end(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(LOG_TAIL_BYTES)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        let status = self.child().try_wait().ok().flatten();
        if status.is_some() {
            let _ = std::fs::remove_file(&self.pid_file);
        }
        status
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.ended().is_none()
    }

    /// Waits for its end, at most for `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.ended() {
                Some(status) => return Some(status),
                None if Instant::now() >= deadline => return None,
                None => std::thread::sleep(Duration::from_millis(3)),
            }
        }
    }

    /// Sends a signal, such as `TERM`; nothing happens when it has ended.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: &str) -> Result<()> {
        // The lock keeps the id from being reaped and given to another process meanwhile.
        let mut child = self.child();
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        signal_pids(signal, &[self.pid])
            .with_context(|| format!("cannot send {signal} to {}", self.name))
    }

    /// Sends a signal, waits for the end, and kills after `timeout`.
    ///
    /// # Errors
    /// When it had to be killed; the error holds the end of its log.
    pub fn stop(&self, signal: &str, timeout: Duration) -> Result<ExitStatus> {
        self.signal(signal)?;
        if let Some(status) = self.wait(timeout) {
            return Ok(status);
        }
        self.kill();
        bail!("{} did not end within {timeout:?} of {signal}\n{}", self.name, self.log_end())
    }

    /// Kills it and waits for its end.
    pub fn kill(&self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
        let _ = std::fs::remove_file(&self.pid_file);
    }

    /// Refuses to wait longer for a program that has ended.
    pub(crate) fn check_running(&self) -> Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}\n{}", self.name, self.log_end()),
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.kill();
        }
    }
}

/// Sends a signal to these processes with the shell's own `kill`, which is everywhere.
pub(crate) fn signal_pids(signal: &str, pids: &[u32]) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -s "$@""#, "kill", signal]);
    command.args(pids.iter().map(ToString::to_string));
    run(&mut command).map(drop)
}

/// Runs a program to its end and returns what it wrote.
///
/// # Errors
/// When it cannot be started or does not end with 0; the error holds what it wrote.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {name}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{name} ended with {}: {}{}", output.status, errors.trim(), text.trim());
    }
    Ok(text)
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
