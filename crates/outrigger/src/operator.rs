//! A SQLite database belongs to one process. Commands that need it while that one runs are sent to it,
//! over a socket beside the file, which only the same user of the machine can open.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::time::timeout;

use crate::cli::desk::{Desk, Request, Told};
use crate::compose::Backends;
use crate::config::Config;
use crate::database::sqlite_path;

/// Largest order, in bytes.
const ORDER_BYTES_MAX: u64 = 64 * 1024;
/// An order is there within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest command, a migration, ends within this.
const ANSWER: Duration = Duration::from_secs(600);

/// The socket of this database.
fn socket(config: &Config) -> Option<PathBuf> {
    let mut path = sqlite_path(config)?.as_os_str().to_owned();
    path.push(".sock");
    Some(path.into())
}

/// Has the process that serves this database do it; `None` when there is none.
///
/// # Errors
/// When that process ends meanwhile.
pub(crate) fn ask(config: &Config, request: &Request) -> Result<Option<Told>> {
    let Some(path) = socket(config) else { return Ok(None) };
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if is_nobody(error.kind()) => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut converse = || -> Result<Told> {
        stream.set_read_timeout(Some(ANSWER))?;
        let mut line = serde_json::to_string(request)?;
        line.push('\n');
        stream.write_all(line.as_bytes())?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    converse().map(Some).context("the process that serves did not answer")
}

/// Without a path that fits into a socket's address there can be nobody either.
fn is_nobody(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput)
}

/// Does what operators ask for, one after the other, until the process ends.
pub(crate) async fn serve(config: Config, backends: Arc<Backends>) {
    let Some(path) = socket(&config) else { return };
    // The database is locked, so a socket that is there is one of a process that has ended.
    let _missing = fs::remove_file(&path);
    let listening = UnixListener::bind(&path).and_then(|listener| {
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map(|()| listener)
    });
    let listener = match listening {
        Ok(listener) => listener,
        Err(error) => {
            let path = path.display();
            tracing::warn!(%error, %path, "commands such as `admin create` need this process to be stopped");
            return;
        }
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if let Err(error) = attend(stream, &config, &backends).await {
            tracing::warn!(%error, "a command of an operator was not heard or answered");
        }
    }
}

async fn attend(
    stream: tokio::net::UnixStream,
    config: &Config,
    backends: &Arc<Backends>,
) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(reader.take(ORDER_BYTES_MAX));
    timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let request: Request = serde_json::from_str(&line)?;
    let told = Desk::of(config, backends).take(&request).await;
    let mut answer = serde_json::to_string(&told)?;
    answer.push('\n');
    Ok(writer.write_all(answer.as_bytes()).await?)
}
