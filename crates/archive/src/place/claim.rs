//! Who writes an archive into blobs, so that two exports to one place do not mix their parts.
//!
//! Beside the parts lies the claim of whoever writes them, who says again and again that he is still
//! there. Another export is refused while that is young; one that goes on (`--resume`) takes the place
//! over at once, and whoever had it ends when he next looks, which he does before each part and after
//! the last.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use outrigger_kernel::Timestamp;
use outrigger_ports::blobs::Blobs;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::ArchiveError;
use crate::line::{Header, to_json};

/// Who has said nothing for so long is no more.
const YOUNG: Duration = Duration::from_secs(600);
/// It is said again this often: far more often, so that a slow database or a slow place is no matter.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// What somebody says of himself.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    export: String,
    at: Timestamp,
}

/// The right to write the parts of an archive.
pub(crate) struct Claim {
    pub(super) blobs: Arc<dyn Blobs>,
    /// Of the archive.
    pub(super) key: String,
    export: String,
    started_at: Timestamp,
    since: Instant,
    said: Instant,
}

impl Claim {
    /// Takes the place; with `resume`, from whoever has it.
    ///
    /// # Errors
    /// When another export has it.
    pub(super) async fn make(
        blobs: &Arc<dyn Blobs>,
        key: &str,
        resume: bool,
        header: &Header,
    ) -> Result<Self, ArchiveError> {
        let now = Instant::now();
        let claim = Self {
            blobs: blobs.clone(),
            key: key.to_owned(),
            export: format!("{}-{}", header.started_at.as_micros(), std::process::id()),
            started_at: header.started_at,
            since: now,
            said: now,
        };
        if !resume && let Some(said) = claim.read().await? {
            let age = claim.now().since(said.at);
            if age < YOUNG {
                return Err(ArchiveError::Refused(format!(
                    "another export writes to {key}: it has said so {} s ago. If it was killed, go on \
                     with --resume, or begin again in {} s",
                    age.as_secs(),
                    YOUNG.saturating_sub(age).as_secs() + 1
                )));
            }
        }
        claim.say().await?;
        Ok(claim)
    }

    /// Sees to it that nobody else has taken the place.
    ///
    /// # Errors
    /// `Refused` when somebody has.
    pub(super) async fn hold(&mut self) -> Result<(), ArchiveError> {
        if !self.is_own().await? {
            return Err(ArchiveError::Refused(format!(
                "another export to {} has begun meanwhile: this one ends",
                self.key
            )));
        }
        if self.said.elapsed() >= SAID_EVERY {
            self.say().await?;
            self.said = Instant::now();
        }
        Ok(())
    }

    /// Says that one is still there, when it is time to.
    ///
    /// # Errors
    /// As [`Claim::hold`].
    pub(super) async fn keep(&mut self) -> Result<(), ArchiveError> {
        if self.said.elapsed() >= SAID_EVERY { self.hold().await } else { Ok(()) }
    }

    /// Gives the place free, if it is still one's own.
    pub(super) async fn release(self) -> Result<(), ArchiveError> {
        if self.is_own().await? {
            self.blobs.delete(&self.place()).await?;
        }
        Ok(())
    }

    async fn is_own(&self) -> Result<bool, ArchiveError> {
        Ok(self.read().await?.is_some_and(|said| said.export == self.export))
    }

    async fn say(&self) -> Result<(), ArchiveError> {
        let said = Said { export: self.export.clone(), at: self.now() };
        let mut writer = self.blobs.create(&self.place()).await?;
        writer.write(Bytes::from(to_json(&said))).await?;
        writer.finish().await?;
        Ok(())
    }

    async fn read(&self) -> Result<Option<Said>, ArchiveError> {
        let Some(mut reader) = self.blobs.open(&self.place()).await? else { return Ok(None) };
        let mut body = BytesMut::new();
        while let Some(piece) = reader.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(serde_json::from_slice(&body).ok())
    }

    /// No part is named so.
    fn place(&self) -> String {
        format!("{}-claim", self.key)
    }

    fn now(&self) -> Timestamp {
        self.started_at.plus(self.since.elapsed())
    }
}
