//! The real binary on SQLite in a temporary folder, with limits that a run does not reach.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_testkit::net::http_get;
use outrigger_testkit::{Process, TempDir, eventually, free_port};

/// The administrator of the run.
pub(super) const ADMIN_EMAIL: &str = "admin@example.org";
/// Of the first start.
pub(super) const ADMIN_PASSWORD: &str = "seven-herons-cross-the-estuary";

/// On a busy machine it takes its time to start, and may be behind with its checks.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// A running server; it ends with this value.
#[derive(Debug)]
pub(super) struct Server {
    // Ends before its folder is removed.
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let folder = TempDir::new("schemathesis")?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("serve").current_dir(folder.path());
        command.env("PORT", port.to_string());
        command.env("OUTRIGGER__HTTP__INTERNAL_PORT", free_port()?.to_string());
        command.env("DATABASE_URL", format!("sqlite://{}", folder.join("outrigger.db").display()));
        command.env("OUTRIGGER__DEPLOYMENT__DATA_DIR", folder.path());
        command.env("OUTRIGGER_ADMIN_EMAIL", ADMIN_EMAIL);
        command.env("OUTRIGGER_ADMIN_PASSWORD", ADMIN_PASSWORD);
        command.env("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "100000");
        command.env("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "1000000");
        command.env_remove("REDIS_URL");
        let process = Process::spawn("outrigger", &command, &folder.join("log"))?;
        let server = Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)), folder };
        eventually("the server is ready", READY_WITHIN, || server.ready())?;
        Ok(server)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// That it has come through the run.
    ///
    /// # Errors
    /// When it has ended or is not ready; with the end of its log.
    pub(super) fn still_well(&self) -> Result<()> {
        eventually("the server is ready", READY_WITHIN, || self.ready())
            .with_context(|| format!("after the run\n{}", self.process.log_end()))
    }

    fn ready(&self) -> Result<()> {
        if let Some(status) = self.process.ended() {
            bail!("the server ended with {status}\n{}", self.process.log_end());
        }
        match http_get(self.address, "/health/ready")? {
            (200, _) => Ok(()),
            (status, body) => bail!("not ready: {status} {body}"),
        }
    }
}
