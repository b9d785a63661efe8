//! Building what takes part: binaries with cargo, and Python environments.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::out;
use crate::peers::Which;

const FASTAPI: &str = include_str!("../../fastapi/requirements.txt");
const ARQ: &str = include_str!("../../queues/requirements.txt");

/// Where everything is.
pub(crate) struct Built {
    /// The binary of Outrigger.
    pub(crate) outrigger: PathBuf,
    /// The binary of the floor.
    pub(crate) floor: PathBuf,
    /// The Python of the environment that the FastAPI reference runs in.
    pub(crate) python: PathBuf,
    /// The folder of the reference.
    pub(crate) fastapi: PathBuf,
    /// The queues of others, unless they were left out with the reference.
    pub(crate) queues: Option<Queues>,
}

/// The queues of others.
pub(crate) struct Queues {
    /// The binary of those in Rust.
    pub(crate) rust: PathBuf,
    /// The Python of ARQ's environment.
    pub(crate) python: PathBuf,
    /// ARQ's program.
    pub(crate) arq: PathBuf,
}

/// Builds what these peers need.
///
/// # Errors
/// When cargo or pip fail.
pub(crate) fn all(peers: &[Which], tasks: bool) -> Result<Built> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target = target_dir()?;
    let packages: Vec<&str> = peers.iter().filter_map(|peer| peer.package()).collect();
    if !packages.is_empty() {
        cargo(&bench, &packages)?;
    }
    let environment = target.join("bench-python");
    if peers.contains(&Which::Fastapi) {
        python(&environment, FASTAPI)?;
    }
    let with_queues = tasks && peers.contains(&Which::Fastapi);
    Ok(Built {
        outrigger: target.join("release/outrigger"),
        floor: target.join("release/outrigger-bench-floor"),
        python: environment.join("bin/python"),
        fastapi: bench.join("fastapi"),
        queues: with_queues.then(|| queues(&bench, &target)).transpose()?,
    })
}

/// Their dependencies are not ours, so they are no part of the workspace and have a target folder of
/// their own.
fn queues(bench: &Path, target: &Path) -> Result<Queues> {
    out::note("building the queues of others");
    let folder = bench.join("queues");
    let own = target.join("bench-queues");
    let mut command = Command::new("cargo");
    command.current_dir(&folder).args(["build", "--release", "--quiet", "--locked"]);
    run(command.arg("--target-dir").arg(&own))?;
    let environment = target.join("bench-arq");
    python(&environment, ARQ)?;
    Ok(Queues {
        rust: own.join("release/outrigger-bench-queues"),
        python: environment.join("bin/python"),
        arq: folder.join("worker.py"),
    })
}

/// This program stands in `TARGET/PROFILE/`.
fn target_dir() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent);
    target.map(Path::to_owned).context("this program stands in no target folder")
}

fn cargo(dir: &Path, packages: &[&str]) -> Result<()> {
    out::note("building for release");
    let mut command = Command::new("cargo");
    command.current_dir(dir).args(["build", "--release", "--quiet"]);
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

/// Makes the environment, unless it is there with the same requirements.
fn python(environment: &Path, requirements: &str) -> Result<()> {
    let stamp = environment.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|had| had == requirements) {
        return Ok(());
    }
    out::note("making a Python environment");
    let remedy = "needs python3 with venv, and PyPI; without: --only ours,floor";
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))
        .context(remedy)?;
    let file = environment.join("wanted.txt");
    std::fs::write(&file, requirements)?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&file);
    run(&mut pip).context(remedy)?;
    std::fs::rename(file, stamp)?;
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}
