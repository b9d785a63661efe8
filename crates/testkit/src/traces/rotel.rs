//! A real collector: rotel, from PyPI. It passes on what it is sent.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::SpanSink;
use crate::{Process, TempDir, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// A collector on 127.0.0.1, gone with its value.
#[derive(Debug)]
pub struct Rotel {
    // Before the folder: fields are dropped in this order.
    process: Process,
    port: u16,
    _dir: TempDir,
}

impl Rotel {
    /// What brings it: a package of PyPI, whose program is taken and nothing else.
    pub const PACKAGE: &str = "rotel==0.0.1a15";
    /// The program in that package.
    const FILE: &str = "rotel/rotel-agent";

    /// Where it is, once `cargo xtask test` has put it there.
    ///
    /// # Errors
    /// Says how to get it.
    pub fn program() -> Result<PathBuf> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
        let folder = cache.or_else(home).unwrap_or_default().join("outrigger-xtask/rotel");
        let program = folder.join(Self::FILE);
        ensure!(
            program.exists(),
            "not found: {}; `cargo xtask test` installs it; or: pip3 install --no-deps --target {} {}",
            program.display(),
            folder.display(),
            Self::PACKAGE
        );
        Ok(program)
    }

    /// Starts one that passes on to this sink.
    ///
    /// # Errors
    /// When it is not installed (says how to) or does not start (holds its log).
    pub fn start(sink: &SpanSink) -> Result<Self> {
        let (dir, port, other) = (TempDir::new("rotel")?, free_port()?, free_port()?);
        let mut command = Command::new(Self::program()?);
        command.args(["start", "--exporter", "otlp", "--otlp-exporter-protocol", "http"]);
        command.args(["--batch-timeout", "100ms", "--otlp-exporter-endpoint", &sink.url()]);
        command.args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")]);
        command.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{other}")]);
        command.arg("--pid-file").arg(dir.join("pid"));
        let process = Process::spawn("rotel", &command, &dir.join("log"))?;
        wait::eventually("a collector that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            if net::accepts(port) { Ok(Ok(())) } else { bail!("no connection") }
        })
        .and_then(|answer| answer)
        .with_context(|| format!("rotel on port {port}\n{}", process.log_end()))?;
        Ok(Self { process, port, _dir: dir })
    }

    /// What `traces.endpoint` is set to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has written.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
