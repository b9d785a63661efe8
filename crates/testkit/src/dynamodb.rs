//! An emulator of DynamoDB of one's own: dynoxide, from crates.io.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::emulator::{self, Emulator};
use crate::{find_program, net};

/// An emulator of DynamoDB on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct DynamoDb {
    emulator: Emulator,
    durable: bool,
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
        // Unoptimised it takes four times as long for all that is asked of it.
        "--config",
        "profile.dev.opt-level=1",
        "--no-default-features",
        "--features",
        "native-sqlite,http-server,cli",
    ];

    /// Where it is: on the path, or where `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn program() -> Result<PathBuf> {
        let dir = emulator::installed("dynoxide").join("bin");
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
        let server = Self { emulator: Emulator::new("dynoxide")?, durable };
        server.start_again()?;
        Ok(server)
    }

    /// The one emulator of this process, started on first use. Tests have tables of their own in it.
    ///
    /// # Errors
    /// As [`DynamoDb::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<DynamoDb, String>> = OnceLock::new();
        emulator::shared(&SHARED, Self::start)
    }

    /// The URL of a table that nobody else uses and that is not there yet.
    pub fn fresh_url(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.url_at(self.emulator.port, &format!("table-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of a table behind another port on 127.0.0.1, such as that of a
    /// [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16, table: &str) -> String {
        format!("dynamodb://us-east-1/{table}?endpoint=http://127.0.0.1:{port}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.emulator.port
    }

    /// Kills it at once.
    pub fn kill(&self) {
        self.emulator.kill();
    }

    /// Freezes it: connections stay open, nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.emulator.signal("STOP")
    }

    /// Goes on after [`DynamoDb::pause`].
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.emulator.signal("CONT")
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut command = Command::new(Self::program()?);
        command.args(["serve", "--port", &self.emulator.port.to_string()]);
        if self.durable {
            command.arg("--db-path").arg(self.emulator.dir.join("tables.db"));
        }
        self.emulator.start(&command, || {
            ensure!(net::accepts(self.emulator.port), "no connection");
            Ok(())
        })
    }
}
