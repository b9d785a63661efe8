//! The secret of an embedded deployment, made at its first start.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use outrigger_kernel::{Random, Secret, SystemRandom, id};

/// Reads the secret, or makes one that only this user can read.
///
/// # Errors
/// When the file can be neither read nor made.
pub(crate) fn read_or_make(path: &Path) -> Result<Secret> {
    let place = path.display();
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(Secret::from(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("auth.secret: cannot read {place}"));
        }
    }
    let mut bytes = [0_u8; 32];
    SystemRandom.fill(&mut bytes);
    let text = id::hex(&bytes);
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("auth.secret: cannot make {place} (deployment.data_dir)"))?;
    Ok(Secret::from(text))
}
