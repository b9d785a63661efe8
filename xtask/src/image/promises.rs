//! What the image promises, each looked at in the image or in a container of it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use outrigger_testkit::{TempDir, free_port, http_get, wait_until};
use serde_json::Value;

use super::engine::Engine;
use crate::cargo;

/// The most that the image may have, in bytes: so that it does not grow unseen. The aim is 30 MB, which it
/// kept until all backends were in it.
const BYTES_MAX: u64 = 42_000_000;

/// How long until the engine's own health check says healthy: it looks every ten seconds.
const HEALTHY: Duration = Duration::from_secs(60);

/// The program in the image.
const PROGRAM: &str = "/usr/local/bin/outrigger";

/// A container that is removed when it is no longer needed.
#[derive(Debug)]
struct Container<'a>(&'a Engine, String);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = cargo::capture(&mut self.0.docker(&["rm", "--force", "--volumes", &self.1]));
    }
}

/// Looks at each; what was found, a line for each.
///
/// # Errors
/// Names the promise that is not kept.
pub(super) fn check(engine: &Engine, image: &str) -> Result<Vec<String>> {
    let mut kept = vec![size(engine, image)?, labels(engine, image)?];
    let [public, internal] = [free_port()?, free_port()?];
    let mut run = engine.docker(&["run", "--detach", "--read-only", "--cap-drop", "ALL"]);
    run.args(["--security-opt", "no-new-privileges", "--memory", "256m"]);
    run.args(["--env", "OUTRIGGER__HTTP__ADDRESS=127.0.0.1", "--env", &format!("PORT={public}")]);
    run.args(["--env", &format!("OUTRIGGER__HTTP__INTERNAL_PORT={internal}"), image]);
    let began = Instant::now();
    let id = cargo::capture(&mut run)?.trim().to_owned();
    let container = Container(engine, id);
    let answers = |path| {
        let answer = http_get(SocketAddr::from(([127, 0, 0, 1], public)), path);
        answer.is_ok_and(|(status, _)| status == 200)
    };
    let started = wait_until("/health answers", HEALTHY, || answers("/health"));
    started.with_context(|| logs(&container))?;
    kept.push(format!(
        "read-only, without capabilities, it answers /health {} ms after `docker run`",
        began.elapsed().as_millis()
    ));
    kept.push(console(public)?);
    kept.push(user(&container)?);
    let is_healthy = || {
        let state =
            inspect(engine, &container.1).map(|all| all["State"]["Health"]["Status"].clone());
        state.is_ok_and(|state| state == "healthy")
    };
    wait_until("the health check says healthy", HEALTHY, is_healthy)
        .with_context(|| logs(&container))?;
    kept.push("its own health check says healthy".to_owned());
    kept.push(packages(&container)?);
    kept.push(ending(&container)?);
    Ok(kept)
}

fn size(engine: &Engine, image: &str) -> Result<String> {
    let bytes = inspect(engine, image)?["Size"].as_u64().context("the image has no size")?;
    ensure!(bytes <= BYTES_MAX, "the image has {bytes} bytes, more than {BYTES_MAX}");
    Ok(format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10))
}

fn labels(engine: &Engine, image: &str) -> Result<String> {
    let labels = &inspect(engine, image)?["Config"]["Labels"];
    for name in ["title", "description", "licenses", "source", "version", "revision"] {
        let label = format!("org.opencontainers.image.{name}");
        ensure!(labels[&label].as_str().is_some_and(|text| !text.is_empty()), "no label {label}");
    }
    Ok("labelled".to_owned())
}

/// The process is that of the unprivileged user, as the kernel sees it.
/// A debug build reads these files from their folder; here they must be in the binary.
fn console(port: u16) -> Result<String> {
    let get = |path: &str| http_get(SocketAddr::from(([127, 0, 0, 1], port)), path);
    let (status, page) = get("/console")?;
    let files = page.split('"').filter(|text| text.starts_with("/console/assets/"));
    let files: Vec<&str> = files.collect();
    let count = files.len();
    ensure!(status == 200 && count > 2, "/console is {status}, and names {count} files");
    for file in &files {
        let (status, text) = get(file)?;
        let is_there = status == 200 && !text.is_empty() && !file.contains("/live/");
        ensure!(is_there, "{file} is {status} and has {} bytes", text.len());
    }
    Ok("/console is served with files of the binary, under names that follow from them".to_owned())
}

fn user(container: &Container) -> Result<String> {
    let pid = inspect(container.0, &container.1)?["State"]["Pid"].as_u64().context("no process")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    let (user, capabilities) = (field("Uid:"), field("CapEff:"));
    ensure!(user == "65532 65532 65532 65532", "it runs as user {user}");
    ensure!(capabilities.bytes().all(|byte| byte == b'0'), "it has capabilities {capabilities}");
    Ok("it runs as user 65532".to_owned())
}

/// The binary names its packages, where scanners look for them; there is nothing else to run.
fn packages(container: &Container) -> Result<String> {
    let folder = TempDir::new("image")?;
    let archive = folder.join("files.tar");
    let mut export = container.0.docker(&["export", "--output"]);
    cargo::pass(export.arg(&archive).arg(&container.1))?;
    let files = cargo::capture(Command::new("tar").arg("-tf").arg(&archive))?;
    for tool in ["sh", "bash", "curl", "wget", "apt", "dpkg", "busybox"] {
        let is_there = files.lines().any(|file| file.rsplit('/').next() == Some(tool));
        ensure!(!is_there, "the image has a {tool}");
    }
    for package in ["libc6", "ca-certificates"] {
        let status = format!("var/lib/dpkg/status.d/{package}");
        ensure!(files.lines().any(|file| file == status), "the image has no {status}");
    }
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(folder.path()).arg("-xf").arg(&archive).arg(&PROGRAM[1..]);
    cargo::pass(&mut tar)?;
    let program = std::fs::read(folder.join(&PROGRAM[1..]))?;
    let has_list = program.windows(8).any(|bytes| bytes == b".dep-v0\0");
    ensure!(has_list, "the binary has no list of its packages");
    Ok("the binary has the list of its packages (SBOM), and there is no shell".to_owned())
}

/// After SIGTERM it drains and ends by itself.
fn ending(container: &Container) -> Result<String> {
    let mut stop = container.0.docker(&["stop", "--time", "30", &container.1]);
    cargo::capture(&mut stop)?;
    let code = inspect(container.0, &container.1)?["State"]["ExitCode"].as_u64();
    ensure!(code == Some(0), "it ended with {code:?}: {}", logs(container));
    Ok("told to stop, it drains and ends with 0".to_owned())
}

fn inspect(engine: &Engine, what: &str) -> Result<Value> {
    let text = cargo::capture(&mut engine.docker(&["inspect", what]))?;
    let mut all: Vec<Value> = serde_json::from_str(&text)?;
    all.pop().with_context(|| format!("there is no {what}"))
}

fn logs(container: &Container) -> String {
    let output = container.0.docker(&["logs", "--tail", "20", &container.1]).output();
    output.map_or_else(
        |error| error.to_string(),
        |output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    )
}
