//! A real balancer, HAProxy, in front of some HTTP servers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::run;
use crate::program::Program;
use crate::{Process, TempDir, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// HAProxy on 127.0.0.1, gone with its value.
///
/// It asks each backend `GET /health` every 100 ms and sends nothing new to one that does not
/// answer 200. A request is tried on another backend only when no connection came about, so
/// nothing is ever sent twice: a rolling restart loses no request when the backends answer 503 on
/// `/health` for longer than 100 ms before they stop accepting.
#[derive(Debug)]
pub struct Haproxy {
    process: Process,
    address: SocketAddr,
    stats: SocketAddr,
    _dir: TempDir,
}

impl Haproxy {
    /// Starts one in front of these backends, which need not be there yet.
    ///
    /// # Errors
    /// When HAProxy is not installed (names the package) or does not start (holds its log).
    pub fn start(backends: &[SocketAddr]) -> Result<Self> {
        let program = Program::HAPROXY.path()?;
        let dir = TempDir::new("haproxy")?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let stats = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let file = dir.join("haproxy.cfg");
        std::fs::write(&file, config(address, stats, backends))?;
        run(Command::new(&program).args(["-c", "-f"]).arg(&file))?;
        let mut command = Command::new(&program);
        command.args(["-db", "-f"]).arg(&file);
        let process = Process::spawn("haproxy", &command, &dir.join("log"))?;
        let balancer = Self { process, address, stats, _dir: dir };
        wait::eventually("HAProxy that answers", START_TIMEOUT, || {
            if let Err(ended) = balancer.process.check_running() {
                return Ok(Err(ended));
            }
            balancer.up().map(Ok)
        })
        .and_then(|answer| answer)
        .with_context(|| format!("HAProxy on {address}\n{}", balancer.process.log_end()))?;
        Ok(balancer)
    }

    /// Where clients go.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Which backends it takes to be healthy, in the order of the start.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn up(&self) -> Result<Vec<bool>> {
        let (status, csv) = net::http_get(self.stats, "/;csv")?;
        if status != 200 {
            bail!("the statistics of HAProxy answer {status}");
        }
        let rows = csv.lines().filter(|row| row.starts_with("app,s"));
        // Column 18 is the state: UP, DOWN, or on the way between them with a fraction.
        Ok(rows.map(|row| row.split(',').nth(17).is_some_and(|s| s.starts_with("UP"))).collect())
    }

    /// Waits until exactly so many backends are healthy.
    ///
    /// # Errors
    /// When time is up; says which were healthy.
    pub fn wait_for_up(&self, count: usize, timeout: Duration) -> Result<()> {
        wait::eventually(&format!("{count} healthy backends"), timeout, || {
            let up = self.up()?;
            if up.iter().filter(|up| **up).count() == count {
                return Ok(());
            }
            bail!("healthy: {up:?}")
        })
    }
}

fn config(address: SocketAddr, stats: SocketAddr, backends: &[SocketAddr]) -> String {
    let mut text = format!(
        "global
    maxconn 4000
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    timeout check 30s
    option redispatch 1
    retries 3
    retry-on conn-failure
frontend main
    bind {address}
    default_backend app
frontend statistics
    bind {stats}
    stats enable
    stats uri /
backend app
    balance roundrobin
    option httpchk GET /health
    http-check expect status 200
    default-server check inter 100ms fall 1 rise 1
"
    );
    for (number, backend) in backends.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    server s{number} {backend}");
    }
    text
}
