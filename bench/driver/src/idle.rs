//! The embedded server at rest: how soon it answers, and how much memory it holds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use outrigger_testkit::{Process, TempDir, free_port};

use crate::build::Built;
use crate::peers::ours;
use crate::{compare, out, proc, stats};

const STARTS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions to a server that does not listen yet.
const PAUSE: Duration = Duration::from_micros(250);
/// What a server does once after its start is over by then.
const REST: Duration = Duration::from_secs(2);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts in milliseconds, memory in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    /// First start in an empty folder, which makes the database and the signing key: the best.
    pub(crate) first_ms_best: f64,
    /// The same: the median.
    pub(crate) first_ms_median: f64,
    /// Start with what the first one has made: the best.
    pub(crate) again_ms_best: f64,
    /// The same: the median.
    pub(crate) again_ms_median: f64,
    /// Resident memory two seconds after the start: the median.
    pub(crate) memory_mib: f64,
}

/// Starts the server ten times in empty folders, and once more in each of them.
///
/// # Errors
/// When a start fails.
pub(crate) fn measure(built: &Built) -> Result<Idle> {
    out::note("starting the embedded server again and again");
    let (mut first, mut again, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..STARTS {
        let dir = TempDir::new("idle")?;
        first.push(start(built, dir.path())?.1);
        let (process, took) = start(built, dir.path())?;
        again.push(took);
        if number < 3 {
            std::thread::sleep(REST);
            let kib = proc::resident_kib(process.pid()).context("the server has ended")?;
            memory.push(compare::kib_to_mib(kib));
        }
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Idle {
        first_ms_best: best(&first),
        first_ms_median: stats::median(first.iter().copied()),
        again_ms_best: best(&again),
        again_ms_median: stats::median(again.iter().copied()),
        memory_mib: stats::median(memory),
    })
}

/// Starts it; the time until the first 200. Dropping the process ends it.
fn start(built: &Built, dir: &Path) -> Result<(Stopping, f64)> {
    let port = free_port()?;
    let mut command = ours::embedded(&built.outrigger, dir, port)?;
    // As it comes: without an administrator it prints a link.
    command.env_remove("OUTRIGGER_ADMIN_EMAIL").env_remove("OUTRIGGER_ADMIN_PASSWORD");
    let log = dir.join("log");
    let started = Instant::now();
    let process = Process::spawn("outrigger", &command, &log)?;
    while !is_healthy(port) {
        if !process.is_running() || started.elapsed() > PATIENCE {
            bail!("it does not answer:\n{}", process.log_end());
        }
        std::thread::sleep(PAUSE);
    }
    Ok((Stopping(process), started.elapsed().as_secs_f64() * 1_000.0))
}

fn is_healthy(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map(|_| answer)
    };
    ask().is_ok_and(|answer: Vec<u8>| answer.starts_with(b"HTTP/1.1 200"))
}

/// Ends in order, so that the folder can be used again.
struct Stopping(Process);

impl std::ops::Deref for Stopping {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        let _ = self.0.stop("INT", STOP_TIMEOUT);
    }
}
