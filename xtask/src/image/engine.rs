//! A Docker engine: the one that runs here, or Debian's, started for as long as it is needed.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_testkit::{Process, Program, install_missing, wait_until};

use crate::out::say;
use crate::tools;

const ENGINE: Program =
    Program { name: "dockerd", dirs: &["/usr/sbin", "/sbin"], package: "docker.io" };
/// The engine's own client comes first: others cannot build with an engine of another age.
const CLIENT: Program = Program { name: "docker", dirs: &["/usr/bin"], package: "docker.io" };

/// How long an engine may take to answer.
const START: Duration = Duration::from_secs(60);

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Engine {
    client: PathBuf,
    host: Option<String>,
    own: Option<Process>,
}

impl Engine {
    /// The engine of this machine, or one of our own.
    ///
    /// # Errors
    /// Says what to install or why it does not start.
    pub(super) fn find() -> Result<Self> {
        let running = Self { client: PathBuf::from("docker"), host: None, own: None };
        if running.answers() {
            return Ok(running);
        }
        install_missing(&[ENGINE, CLIENT])?;
        // Its layers are kept: without them each build compiles every dependency again.
        let folder = tools::cache()?.join("docker");
        std::fs::create_dir_all(&folder)?;
        say(&format!("starting a Docker engine in {}", folder.display()));
        let host = format!("unix://{}", folder.join("socket").display());
        let mut command = Command::new(ENGINE.path()?);
        for (flag, name) in [("--data-root", "data"), ("--exec-root", "run"), ("--pidfile", "pid")]
        {
            command.arg(flag).arg(folder.join(name));
        }
        // Containers use the machine's own network: no bridge and no rules are left behind.
        command.args(["--host", &host, "--bridge", "none", "--iptables=false"]);
        let process = Process::spawn("dockerd", &command, &folder.join("log"))?;
        let engine = Self { client: CLIENT.path()?, host: Some(host), own: Some(process) };
        let ready = wait_until("the Docker engine answers", START, || engine.answers());
        ready.with_context(|| engine.own.as_ref().map_or_else(String::new, Process::log))?;
        Ok(engine)
    }

    /// A command of its client. A build and a run get the machine's network from an engine that has
    /// no other.
    pub(super) fn docker(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        if let Some(host) = &self.host {
            command.env("DOCKER_HOST", host);
        }
        command.args(args);
        if matches!(args.first(), Some(&("build" | "run"))) {
            command.args(["--network", "host"]);
        }
        command
    }

    fn answers(&self) -> bool {
        let mut command = self.docker(&["version"]);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(process) = &self.own {
            // It ends its containers' processes first, which a killed one would leave.
            let _ = process.stop("TERM", Duration::from_secs(30));
        }
    }
}
