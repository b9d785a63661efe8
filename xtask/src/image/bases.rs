//! The images that ours is built from: those of the registry, at their digests; where no registry can
//! be reached, the same made from Debian's packages and from the Rust that runs this.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use outrigger_testkit::{Program, TempDir, install_missing};

use super::RECIPE;
use super::engine::Engine;
use crate::cargo;
use crate::out::say;
use crate::root::at;

const DEBOOTSTRAP: Program =
    Program { name: "debootstrap", dirs: &["/usr/sbin", "/sbin"], package: "debootstrap" };

/// What the official image of Rust has, of what the build needs.
const RUST: &str = "FROM outrigger-base/debian
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
ADD toolchain.tar /usr/local/
ENV CARGO_HOME=/usr/local/cargo
";

/// The arguments of the build: none when the registry answers.
///
/// # Errors
/// When the local bases cannot be made.
pub(super) fn arguments(engine: &Engine) -> Result<Vec<String>> {
    let recipe = std::fs::read_to_string(at(RECIPE))?;
    let debian = recipe.lines().find_map(|line| line.strip_prefix("ARG DEBIAN_IMAGE="));
    let debian = debian.context("the Dockerfile has no DEBIAN_IMAGE")?;
    let mut pull = engine.docker(&["pull", "--quiet", debian]);
    let pulled = pull.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if pulled.success() {
        return Ok(Vec::new());
    }
    say("no registry can be reached: the bases are made here");
    let names = ["debian", "rust"].map(|name| format!("outrigger-base/{name}"));
    let is_there = |name: &String| {
        let mut inspect = engine.docker(&["image", "inspect", name]);
        let status = inspect.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !names.iter().all(is_there) {
        let folder = TempDir::new("bases")?;
        make_debian(engine, folder.path(), &names[0])?;
        make_rust(engine, folder.path(), &names[1])?;
    }
    Ok(vec![format!("DEBIAN_IMAGE={}", names[0]), format!("RUST_IMAGE={}", names[1])])
}

fn make_debian(engine: &Engine, folder: &Path, name: &str) -> Result<()> {
    install_missing(&[DEBOOTSTRAP])?;
    let root = folder.join("debian");
    let mut debootstrap = Command::new(DEBOOTSTRAP.path()?);
    debootstrap.args(["--variant=minbase", "bookworm"]).arg(&root);
    cargo::pass(debootstrap.stdout(Stdio::null()))?;
    let archive = folder.join("debian.tar");
    cargo::pass(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg("."))?;
    cargo::pass(engine.docker(&["import"]).arg(archive).arg(name))
}

fn make_rust(engine: &Engine, folder: &Path, name: &str) -> Result<()> {
    let context = folder.join("rust");
    std::fs::create_dir(&context)?;
    std::fs::write(context.join("Dockerfile"), RUST)?;
    let toolchain = cargo::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut tar = Command::new("tar");
    tar.args(["-C", toolchain.trim(), "--exclude=./share", "-cf"]);
    cargo::pass(tar.arg(context.join("toolchain.tar")).arg("."))?;
    let mut build = engine.docker(&["build", "--quiet", "--tag", name]);
    cargo::pass(build.arg(context).env("DOCKER_BUILDKIT", "1"))
}
