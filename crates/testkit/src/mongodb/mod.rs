//! An emulator of MongoDB of one's own: mongoeco, from PyPI, which needs Python 3.13.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail, ensure};

use crate::emulator::{self, Emulator};
use crate::net;

const SCRIPT: &str = include_str!("server.py");

/// An emulator of MongoDB on 127.0.0.1 that keeps everything in memory, gone with its value.
#[derive(Debug)]
pub struct MongoDb {
    emulator: Emulator,
    has_user: bool,
}

impl MongoDb {
    /// The emulator and all that it needs, as pip is told.
    pub const REQUIREMENTS: &str = include_str!("requirements.txt");

    /// The Python that has it: where `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn python() -> Result<PathBuf> {
        let found = emulator::installed("mongoeco").join("bin/python");
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
        Self::start_with(None)
    }

    /// Starts one in which only this user may do something: a name, a colon and the password.
    ///
    /// # Errors
    /// As [`MongoDb::start`].
    pub fn start_for(user: &str) -> Result<Self> {
        Self::start_with(Some(user))
    }

    fn start_with(user: Option<&str>) -> Result<Self> {
        let server = Self { emulator: Emulator::new("mongoeco")?, has_user: user.is_some() };
        user.map(|user| server.set_user(user)).transpose()?;
        std::fs::write(server.emulator.dir.join("server.py"), SCRIPT)?;
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
        emulator::shared(&SHARED, Self::start)
    }

    /// The URL of a database that nobody else uses.
    pub fn fresh_url(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.url_at(self.emulator.port, &format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of a database behind another port on 127.0.0.1, such as that of a
    /// [`crate::FaultProxy`].
    pub fn url_at(&self, port: u16, database: &str) -> String {
        format!("mongodb://127.0.0.1:{port}/{database}")
    }

    /// Has another user, or another password. Connections that stand are not ended by it.
    ///
    /// # Errors
    /// When the file cannot be written in which it stands.
    pub fn set_user(&self, user: &str) -> Result<()> {
        Ok(std::fs::write(self.users(), user)?)
    }

    fn users(&self) -> PathBuf {
        self.emulator.dir.join("users")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.emulator.port
    }

    /// Kills it at once; it forgets everything.
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

    /// Goes on after [`MongoDb::pause`].
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.emulator.signal("CONT")
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut command = Command::new(Self::python()?);
        command
            .arg(self.emulator.dir.join("server.py"))
            .args(["--port", &self.emulator.port.to_string()]);
        if self.has_user {
            command.arg("--users").arg(self.users());
        }
        self.emulator.start(&command, || {
            ensure!(net::accepts(self.emulator.port), "no connection");
            Ok(())
        })
    }
}
