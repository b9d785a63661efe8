//! A real balancer without health checks of its own, nginx, in front of some HTTP servers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::run;
use crate::program::Program;
use crate::{Process, TempDir, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);

/// nginx on 127.0.0.1, gone with its value.
///
/// It takes turns, makes a connection of its own for each request, and learns that a backend is
/// away only by failing to reach it. A request goes to the next backend when no connection came
/// about, or when it broke before an answer and the method may be repeated (not POST, not PATCH).
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    address: SocketAddr,
    _dir: TempDir,
}

impl Nginx {
    /// Starts one in front of these backends, which need not be there yet.
    ///
    /// # Errors
    /// When nginx is not installed (names the package) or does not start (holds its log).
    pub fn start(backends: &[SocketAddr]) -> Result<Self> {
        let program = Program::NGINX.path()?;
        let dir = TempDir::new("nginx")?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let file = dir.join("nginx.conf");
        std::fs::write(&file, config(dir.path(), address, backends))?;
        let with_file = || {
            let mut command = Command::new(&program);
            // Before it reads the file it would write where the package says.
            command.arg("-p").arg(dir.path()).args(["-e", "stderr", "-c"]).arg(&file);
            command
        };
        run(with_file().arg("-t"))?;
        let process = Process::spawn("nginx", &with_file(), &dir.join("log"))?;
        let balancer = Self { process, address, _dir: dir };
        wait::eventually("nginx that answers", START_TIMEOUT, || {
            if let Err(ended) = balancer.process.check_running() {
                return Ok(Err(ended));
            }
            net::http_get(address, "/nginx").map(|_| Ok(()))
        })
        .and_then(|answer| answer)
        .with_context(|| format!("nginx on {address}\n{}", balancer.process.log_end()))?;
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

    /// What it wrote, such as which backend it could not reach.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// One process, so that nothing of it is left when that is killed; all files in `dir`.
fn config(dir: &Path, address: SocketAddr, backends: &[SocketAddr]) -> String {
    let mut servers = String::new();
    for backend in backends {
        // Writing to a string does not fail.
        let _ = writeln!(servers, "    server {backend} max_fails=1 fail_timeout=1s;");
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("  {kind}_temp_path {};\n", dir.display()));
    format!(
        "daemon off;
master_process off;
pid {}/pid;
events {{ worker_connections 1024; }}
http {{
{}  access_log off;
  client_max_body_size 0;
  keepalive_requests 100000;
  upstream app {{
{servers}  }}
  server {{
    listen {address};
    location = /nginx {{ return 204; }}
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_connect_timeout 20s;
      proxy_next_upstream error timeout;
    }}
  }}
}}
",
        dir.display(),
        temporary.concat()
    )
}
