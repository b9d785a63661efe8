//! Where an archive is: a file, standard input or output, or blobs.
//!
//! In blobs it is in parts, `KEY.00001` and so on, each of which is there whole or not at all; one after
//! the other they are the archive. So what was exported stays when an export is cut off, and a part is
//! never larger than what object stores take at once. What ends in `.gz` is compressed; in pieces of a
//! few megabytes, each a gzip member of its own.

mod claim;
mod lines;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_ports::blobs::Blobs;

use crate::error::ArchiveError;
use crate::line::{Header, is_trailer};
use claim::Claim;
pub(crate) use lines::Lines;
pub(crate) use writer::Writer;

/// A place for an archive.
#[derive(Clone, Debug)]
pub enum Place {
    /// Standard input or output.
    Standard,
    /// A file.
    File(PathBuf),
    /// Blobs under keys that begin so.
    Blobs(Arc<dyn Blobs>, String),
}

/// A place that is being written to.
pub(crate) struct Begun {
    pub(crate) writer: Writer,
    /// What an earlier export has left, to go on from.
    pub(crate) before: Option<Lines>,
    /// Whether that has to be written again.
    pub(crate) again: bool,
}

impl Place {
    /// Whether it can be read more than once.
    pub(crate) fn stays(&self) -> bool {
        !matches!(self, Self::Standard)
    }

    /// Reads from the beginning.
    ///
    /// # Errors
    /// When there is nothing.
    pub(crate) async fn read(&self) -> Result<Lines, ArchiveError> {
        match self {
            Self::Standard => Ok(Lines::of_stdin()),
            Self::File(path) => Lines::of_file(path),
            Self::Blobs(blobs, key) => {
                if blobs.size(&part(key, 1)).await?.is_none() {
                    return Err(ArchiveError::Refused(format!(
                        "there is no blob {}",
                        part(key, 1)
                    )));
                }
                Ok(Lines::of_blobs(blobs.clone(), key, 1))
            }
        }
    }

    /// Begins to write; with `resume`, goes on where an earlier export was cut off.
    ///
    /// # Errors
    /// When an archive is there already, or another export is at it.
    pub(crate) async fn begin(
        &self,
        resume: bool,
        header: &Header,
        part_bytes: u64,
    ) -> Result<Begun, ArchiveError> {
        match self {
            Self::Standard if resume => Err(ArchiveError::Refused(
                "what was written to standard output cannot be gone on with; export to a file"
                    .to_owned(),
            )),
            Self::Standard => Ok(Begun { writer: Writer::stdout(), before: None, again: false }),
            Self::File(path) => begin_file(path, resume),
            Self::Blobs(blobs, key) => {
                let claim = Claim::make(blobs, key, resume, header).await?;
                match begin_blobs(blobs, key, resume).await {
                    Ok((sizes, before)) => {
                        let writer = Writer::blobs(claim, sizes, part_bytes);
                        Ok(Begun { writer, before, again: false })
                    }
                    Err(error) => {
                        // What it failed of is told, whatever becomes of this.
                        let _place_stays_claimed = claim.release().await;
                        Err(error)
                    }
                }
            }
        }
    }
}

/// The key of a part, counted from 1.
fn part(key: &str, number: u32) -> String {
    format!("{key}.{number:05}")
}

/// The same path with this behind it.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// An export writes `PATH.part`; one that goes on reads what there is as `PATH.old`, writes it again,
/// and removes that once it has all of it.
fn begin_file(path: &Path, resume: bool) -> Result<Begun, ArchiveError> {
    if path.exists() {
        return Err(ArchiveError::Refused(format!(
            "{} exists; name another file, or remove it",
            path.display()
        )));
    }
    let (part, old) = (beside(path, ".part"), beside(path, ".old"));
    let mut before = None;
    if resume {
        // One that was cut off while it wrote again has both, and less in the new one.
        if !old.exists() && part.exists() {
            fs::rename(&part, &old).map_err(ArchiveError::io(part.display().to_string()))?;
        }
        before = old.exists().then(|| Lines::of_file(&old)).transpose()?;
    } else if old.exists() {
        fs::remove_file(&old).map_err(ArchiveError::io(old.display().to_string()))?;
    }
    let writer = Writer::file(path, &part, before.is_some().then_some(old))?;
    Ok(Begun { writer, again: before.is_some(), before })
}

/// The sizes of the parts that stay, and how to read them.
async fn begin_blobs(
    blobs: &Arc<dyn Blobs>,
    key: &str,
    resume: bool,
) -> Result<(Vec<u64>, Option<Lines>), ArchiveError> {
    let mut sizes = Vec::new();
    while let Some(size) = blobs.size(&part(key, number_after(&sizes))).await? {
        sizes.push(size);
    }
    let parts = number_after(&sizes) - 1;
    if parts > 0 {
        let mut last = Lines::of_blobs(blobs.clone(), key, parts);
        while let Some(line) = last.next().await? {
            if is_trailer(&line) {
                return Err(ArchiveError::Refused(format!(
                    "there is an archive {key} in the blobs"
                )));
            }
        }
    }
    // Also what somebody has begun and not finished: if he is still alive, he cannot any more.
    blobs.clear(&part(key, parts + 1)).await?;
    if resume && parts > 0 {
        return Ok((sizes, Some(Lines::of_blobs(blobs.clone(), key, 1))));
    }
    // From the last to the first: as long as there is one, the first tells of it.
    for number in (1..=parts).rev() {
        blobs.clear(&part(key, number)).await?;
    }
    Ok((Vec::new(), None))
}

/// The number of the part that comes after these.
fn number_after(sizes: &[u64]) -> u32 {
    u32::try_from(sizes.len()).unwrap_or(u32::MAX - 1) + 1
}
