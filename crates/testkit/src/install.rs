//! Installs what is missing, where that is allowed.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::is_root;
use crate::program::{Program, find_program, missing, packages, require};

/// For a network that is slow.
const RETRIES: &str = "-oAcquire::Retries=5";

/// Installs the packages of those programs that are missing, with apt-get, when this process is
/// root or may use sudo without a password. Returns the packages it installed.
///
/// # Errors
/// Says exactly what to install when it may not, there is no apt-get, or apt-get fails.
pub fn install_missing(programs: &[Program]) -> Result<Vec<&'static str>> {
    let absent: Vec<Program> =
        programs.iter().copied().filter(|program| program.find().is_none()).collect();
    if absent.is_empty() {
        return Ok(Vec::new());
    }
    let Some(apt) = find_program(&["apt-get"], &["/usr/bin"]) else {
        bail!("{} (or the same for this system, which has no apt-get)", missing(&absent));
    };
    let mut prefix = vec!["env".to_owned(), "DEBIAN_FRONTEND=noninteractive".to_owned()];
    if !is_root() {
        if !may_sudo() {
            bail!("{} (as root)", missing(&absent));
        }
        prefix.splice(0..0, ["sudo".to_owned(), "-n".to_owned()]);
    }
    let packages = packages(&absent);
    let apt = apt.to_string_lossy().into_owned();
    run(&prefix, &[&apt, "-q", RETRIES, "update"]).with_context(|| missing(&absent))?;
    let mut install = vec![apt.as_str(), "-q", "-y", RETRIES, "install", "--no-install-recommends"];
    install.extend(&packages);
    run(&prefix, &install).with_context(|| missing(&absent))?;
    require(&absent).context("apt-get has installed the packages, but")?;
    Ok(packages)
}

fn may_sudo() -> bool {
    let mut command = Command::new("sudo");
    command.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn run(prefix: &[String], command: &[&str]) -> Result<()> {
    let status = Command::new(&prefix[0])
        .args(&prefix[1..])
        .args(command)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", command[0]))?;
    if !status.success() {
        bail!("{} ended with {status}", command.join(" "));
    }
    Ok(())
}
