//! Mail for development: each message becomes a file, and nobody gets it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use outrigger_ports::mailer::{Mail, MailFault, Mailer, Sent};
use outrigger_ports::probe::Probed;

use crate::message::{self, Written};

/// So many messages are kept, the last ones.
const KEPT: usize = 1_000;

/// Writes each message to `FOLDER/ID.eml`, and one line without its body to the log.
#[derive(Clone, Debug)]
pub struct FolderMailer {
    folder: PathBuf,
}

impl FolderMailer {
    /// Into this folder, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl Mailer for FolderMailer {
    async fn send(&self, mail: Mail) -> Result<Sent, MailFault> {
        let Written { message_id, bytes, .. } = message::write(&mail)?;
        let (folder, id) = (self.folder.clone(), mail.id);
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &id, &bytes)).await;
        let kept = kept.unwrap_or_else(|_| Err(io::Error::other("the thread that writes ended")));
        let file = kept.map_err(|error| {
            MailFault::Away(format!("cannot write into {}: {error}", self.folder.display()))
        })?;
        let file = file.display().to_string();
        tracing::info!(to = mail.to.join(", "), subject = mail.subject, file, "a mail was kept");
        Ok(Sent { message_id, answer: format!("kept as {file}") })
    }

    async fn probe(&self) -> Result<Probed, MailFault> {
        let folder = self.folder.display().to_string();
        let facts = vec![("kept_in", folder), ("delivered", "false".to_owned())];
        let version = "development".to_owned();
        Ok(Probed { latency: Duration::ZERO, version, facts, findings: Vec::new() })
    }
}

/// Writes a message whole or not at all, and removes the oldest beyond those that are kept.
fn keep(folder: &Path, id: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("{id}.eml"));
    let unfinished = folder.join(format!("{id}.new"));
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, &file)?;
    let entries = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let is_mail = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "eml");
    let mut all: Vec<PathBuf> = entries.filter(is_mail).collect();
    if all.len() > KEPT {
        // Ids of tasks are in the order of time.
        all.sort_unstable();
        for old in &all[..all.len() - KEPT] {
            fs::remove_file(old)?;
        }
    }
    Ok(file)
}
