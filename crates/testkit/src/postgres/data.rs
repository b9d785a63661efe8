//! Data folders: one is made by initdb per process, the others are copies of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, anyhow, bail};

use super::USER;
use crate::process::{is_root, run};
use crate::program::Program;
use crate::{TempDir, Tls, spawner};

/// PostgreSQL refuses to run as root.
const SYSTEM_USER: &str = "postgres";

/// As whom the server has to run, when it cannot run as this process's user.
pub(super) fn server_user() -> Result<Option<&'static str>> {
    static USER: OnceLock<bool> = OnceLock::new();
    if !*USER.get_or_init(is_root) {
        return Ok(None);
    }
    if run(Command::new("id").args(["-u", SYSTEM_USER])).is_err() {
        bail!(
            "PostgreSQL does not run as root, and there is no user {SYSTEM_USER}; \
             install with: apt-get install postgresql-common, or run as an ordinary user"
        );
    }
    Ok(Some(SYSTEM_USER))
}

/// Makes a data folder.
pub(super) fn make(path: &Path) -> Result<()> {
    let template = template()?;
    run(Command::new("cp").args(["-a", "--reflink=auto", "--"]).arg(&template).arg(path)).map(drop)
}

fn template() -> Result<PathBuf> {
    static TEMPLATE: Mutex<Option<TempDir>> = Mutex::new(None);
    let mut slot = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = &*slot {
        return Ok(template.join("data"));
    }
    let dir = TempDir::new("postgres-template")?;
    let data = dir.join("data");
    let user = server_user()?;
    if user.is_some() {
        own(dir.path())?;
    }
    let mut command = Command::new(Program::INITDB.path()?);
    command.arg("-D").arg(&data).args(["-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8"]);
    command.args(["--locale=C.UTF-8", "--no-instructions"]);
    // Whose working folder it may not enter, initdb complains.
    command.current_dir(dir.path()).env("HOME", dir.path());
    run(&mut spawner::wrap(&command, "KILL", user)?)
        .with_context(|| format!("cannot make a PostgreSQL data folder in {}", data.display()))?;
    *slot = Some(dir);
    Ok(data)
}

/// Puts the certificate into the data folder.
pub(super) fn require_tls(data: &Path, tls: &Tls) -> Result<()> {
    let key = data.join("server.key");
    std::fs::copy(tls.cert_path(), data.join("server.crt"))?;
    std::fs::copy(tls.key_path(), &key)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, mode)?;
    if server_user()?.is_some() {
        own(&key)?;
        own(&data.join("server.crt"))?;
    }
    Ok(())
}

/// From the next reload on: TLS and password, or nothing.
pub(super) fn close_to_plain(data: &Path) -> Result<()> {
    let rules = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all all reject\n";
    std::fs::write(data.join("pg_hba.conf"), rules).map_err(|error| anyhow!(error))
}

fn own(path: &Path) -> Result<()> {
    run(Command::new("chown").arg(format!("{SYSTEM_USER}:")).arg("--").arg(path)).map(drop)
}
