//! An emulator of AWS of one's own: ministack, from PyPI. It keeps everything in memory, and looks at no
//! rights; at keys (`test` and `test`) only in URLs that were signed.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, ensure};

use crate::emulator::{self, Emulator};
use crate::{http_get, net};

/// An emulator of AWS on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct Aws {
    emulator: Emulator,
}

impl Aws {
    /// The server that it runs in, and the name of the folder that `cargo xtask test` installs it in.
    pub const PROGRAM: &str = "hypercorn";
    /// What `pip install --requirement` is given: the emulator and all that it needs, pinned.
    pub const REQUIREMENTS: &str = include_str!("requirements.txt");

    /// Where it is, once `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn program() -> Result<PathBuf> {
        emulator::from_pip(Self::PROGRAM, "aws")
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed (says how to) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        let server = Self { emulator: Emulator::new("ministack")? };
        server.start_again()?;
        Ok(server)
    }

    /// The one emulator of this process, started on first use. Tests have buckets of their own in it.
    ///
    /// # Errors
    /// As [`Aws::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Aws, String>> = OnceLock::new();
        emulator::shared(&SHARED, Self::start)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.emulator.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.emulator.port
    }

    /// Makes a bucket that nobody else uses; its name.
    ///
    /// # Errors
    /// When the emulator refuses it.
    pub fn fresh_bucket(&self) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let address = ([127, 0, 0, 1], self.emulator.port).into();
        let (status, body) = net::http(address, "PUT", &format!("/{name}"))?;
        ensure!(status == 200, "the bucket {name} was not made: {status} {body}");
        Ok(name)
    }

    /// The URL of a bucket that nobody else uses: `s3://BUCKET/files?endpoint=URL`.
    ///
    /// # Errors
    /// As [`Aws::fresh_bucket`].
    pub fn fresh_blob_url(&self) -> Result<String> {
        Ok(format!("s3://{}/files?endpoint={}", self.fresh_bucket()?, self.url()))
    }

    /// The URL of this table of DynamoDB, which need not be there.
    pub fn table_url(&self, table: &str) -> String {
        format!("dynamodb://us-east-1/{table}?endpoint={}", self.url())
    }

    /// Kills it at once; what it kept is gone.
    pub fn kill(&self) {
        self.emulator.kill();
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut command = Command::new(Self::program()?);
        // Without workers of its own it is one process, which ends with this one.
        command.args(["ministack.app:app", "--workers", "0", "--keep-alive", "600", "--bind"]);
        command.arg(format!("127.0.0.1:{}", self.emulator.port));
        self.emulator.start(&command, || {
            let address = ([127, 0, 0, 1], self.emulator.port).into();
            let (status, _) = http_get(address, "/_ministack/health")?;
            ensure!(status == 200, "it answers {status}");
            Ok(())
        })
    }
}
