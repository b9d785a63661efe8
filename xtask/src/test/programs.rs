//! The programs that the tests need.

use std::process::Command;

use anyhow::Result;
use outrigger_testkit::{
    Aws, Axe, Browser, DynamoDb, Program, Rotel, SecretManager, find_program, install_missing,
};

use crate::out::say;
use crate::tools;

const PYTHON: Program = Program { name: "python3", dirs: &[], package: "python3" };
/// Fills a virtual environment from outside, so that Python's own pip in it is not needed.
const PIP: Program = Program { name: "pip3", dirs: &[], package: "python3-pip" };
const GIT: Program = Program { name: "git", dirs: &[], package: "git" };

/// Installs what is missing, or says what to install.
///
/// # Errors
/// The exact command, when this user may not install.
pub(super) fn require() -> Result<()> {
    let mut all: Vec<Program> = Program::ALL.iter().copied().chain([PYTHON, PIP, GIT]).collect();
    if Browser::program().is_err() {
        all.push(Program::CHROMIUM);
    }
    let installed = install_missing(&all)?;
    if !installed.is_empty() {
        say(&format!("installed: {}", installed.join(", ")));
    }
    // Installed anew when it is to be another one, or built in another way.
    if find_program(&["dynoxide"], &[]).is_none() {
        tools::from_crates("dynoxide", DynamoDb::INSTALL)?;
    }
    if Axe::find().is_err() {
        tools::from_pypi("axe", Axe::PACKAGE)?;
    }
    if Rotel::program().is_err() {
        tools::from_pypi("rotel", Rotel::PACKAGE)?;
    }
    Axe::find()?;
    Rotel::program()?;
    DynamoDb::program()?;
    // Installed anew when the list of versions has changed.
    tools::python(Aws::PROGRAM, Aws::REQUIREMENTS)?;
    tools::python(SecretManager::PROGRAM, SecretManager::REQUIREMENTS)?;
    SecretManager::program()?;
    Aws::program().map(drop)
}

/// One line for each server that the tests run on.
pub(super) fn versions() -> String {
    let asked = [
        (Program::POSTGRES, "--version"),
        (Program::REDIS_SERVER, "--version"),
        (Program::HAPROXY, "-v"),
        (Program::NGINX, "-v"),
        (PYTHON, "--version"),
    ];
    let lines = asked.iter().map(|(program, flag)| version(*program, flag));
    lines.collect::<Vec<_>>().join("\n")
}

fn version(program: Program, flag: &str) -> String {
    let output = program.path().and_then(|path| Ok(Command::new(path).arg(flag).output()?));
    // nginx says it on standard error.
    let text = output.map(|output| [output.stdout, output.stderr].concat());
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let line = text.as_deref().unwrap_or_default().lines().next().unwrap_or("unknown version");
    format!("{}: {line}", program.name)
}
