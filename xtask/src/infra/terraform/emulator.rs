//! The emulator of AWS that the real provider speaks to.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use outrigger_testkit::{Aws, Process, eventually, free_port, http_get};

use crate::tools;

/// The program that is served, as a module of Python.
const PROGRAM: &str = include_str!("../../../infra/preloaded.py");
const START_WITHIN: Duration = Duration::from_secs(180);

/// A running emulator; ends with this.
#[derive(Debug)]
pub(super) struct Emulator {
    port: u16,
    _process: Process,
}

impl Emulator {
    /// Starts it on a free port of this machine.
    pub(super) fn start(log: &Path) -> Result<Self> {
        let server = tools::python(Aws::PROGRAM, Aws::REQUIREMENTS)?;
        let port = free_port()?;
        let folder = log.parent().context("the log has no folder")?;
        std::fs::write(folder.join("preloaded.py"), PROGRAM)?;
        let mut command = Command::new(server);
        command.env("PYTHONPATH", folder);
        // Without workers of its own it is one process, which ends with this one. It closes no connection
        // in which a request may be under way: the provider would send that again, and find that what
        // it makes is there already.
        command
            .args(["preloaded:app", "--workers", "0", "--keep-alive", "600", "--bind"])
            .arg(format!("127.0.0.1:{port}"));
        let process = Process::spawn("ministack", &command, log)?;
        eventually("the emulator of AWS to answer", START_WITHIN, || {
            ensure!(process.is_running(), "it has ended:\n{}", process.log_end());
            let (status, _) = http_get(([127, 0, 0, 1], port).into(), "/_ministack/health")?;
            ensure!(status == 200, "it answers {status}");
            Ok(())
        })?;
        Ok(Self { port, _process: process })
    }

    /// Its address.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
