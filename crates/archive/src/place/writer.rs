//! Writes an archive line by line, in bounded memory.

use std::fs::{self, File};
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use outrigger_ports::blobs::BlobWriter;

use super::claim::Claim;
use super::{number_after, part};
use crate::error::ArchiveError;

/// Lines are given on in pieces of at most so many bytes and a line.
const BLOCK: usize = 4 * 1024 * 1024;

enum Out {
    Standard,
    File {
        file: File,
        part: PathBuf,
        path: PathBuf,
        old: Option<PathBuf>,
    },
    Blobs {
        claim: Claim,
        /// A part ends once it has so many bytes, as they are written.
        part_bytes: u64,
        /// The sizes of the parts that are there.
        sizes: Vec<u64>,
        open: Option<(Box<dyn BlobWriter>, u64)>,
    },
}

/// The end of an archive.
pub(crate) struct Writer {
    out: Out,
    gzip: bool,
    lines: Vec<u8>,
    /// Lines are given on in pieces of so many bytes.
    block: usize,
}

impl Writer {
    fn new(out: Out, name: &str) -> Self {
        let gzip = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let block = match &out {
            Out::Blobs { part_bytes, .. } => usize::try_from(*part_bytes).unwrap_or(BLOCK),
            Out::Standard | Out::File { .. } => BLOCK,
        };
        Self { out, gzip, lines: Vec::new(), block: block.min(BLOCK) }
    }

    pub(crate) fn stdout() -> Self {
        Self::new(Out::Standard, "")
    }

    /// Writes `part`, which becomes `path` when it is finished. `old` is removed once it is
    /// [caught up](Writer::caught_up) with.
    pub(crate) fn file(
        path: &Path,
        part: &Path,
        old: Option<PathBuf>,
    ) -> Result<Self, ArchiveError> {
        let file = private(part).map_err(ArchiveError::io(part.display().to_string()))?;
        let out = Out::File { file, part: part.to_owned(), path: path.to_owned(), old };
        Ok(Self::new(out, &path.to_string_lossy()))
    }

    /// After the parts of these sizes.
    pub(super) fn blobs(claim: Claim, sizes: Vec<u64>, part_bytes: u64) -> Self {
        let key = claim.key.clone();
        Self::new(Out::Blobs { claim, part_bytes, sizes, open: None }, &key)
    }

    /// Appends a line, which comes without its end.
    pub(crate) async fn line(&mut self, line: &[u8]) -> Result<(), ArchiveError> {
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        if self.lines.len() >= self.block { self.flush().await } else { Ok(()) }
    }

    /// All that was there before has been written again.
    pub(crate) async fn caught_up(&mut self) -> Result<(), ArchiveError> {
        self.flush().await?;
        if let Out::File { file, part, old, .. } = &mut self.out
            && let Some(old) = old.take()
        {
            file.sync_all().map_err(ArchiveError::io(part.display().to_string()))?;
            fs::remove_file(&old).map_err(ArchiveError::io(old.display().to_string()))?;
        }
        Ok(())
    }

    /// The archive is whole, and on disk.
    pub(crate) async fn finish(&mut self) -> Result<(), ArchiveError> {
        self.flush().await?;
        match &mut self.out {
            Out::Standard => stdout().flush().map_err(ArchiveError::io("standard output")),
            Out::File { file, part, path, .. } => {
                let name = path.display().to_string();
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                file.sync_all()
                    .and_then(|()| fs::rename(&part, &path))
                    .and_then(|()| File::open(folder.unwrap_or(Path::new(".")))?.sync_all())
                    .map_err(ArchiveError::io(name))
            }
            Out::Blobs { claim, sizes, open, .. } => {
                if let Some((writer, _)) = open.take() {
                    claim.hold().await?;
                    sizes.push(writer.finish().await?);
                }
                claim.hold().await?;
                unmixed(claim, sizes).await
            }
        }
    }

    /// This export is still there, although it has nothing to write just now.
    pub(crate) async fn keep(&mut self) -> Result<(), ArchiveError> {
        match &mut self.out {
            Out::Standard | Out::File { .. } => Ok(()),
            Out::Blobs { claim, .. } => claim.keep().await,
        }
    }

    /// What is written stays, to go on with where it is not whole; nobody has to wait for this export.
    pub(crate) async fn release(self) -> Result<(), ArchiveError> {
        match self.out {
            Out::Standard | Out::File { .. } => Ok(()),
            Out::Blobs { claim, .. } => claim.release().await,
        }
    }

    async fn flush(&mut self) -> Result<(), ArchiveError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let block = if self.gzip { compressed(&lines)? } else { lines };
        match &mut self.out {
            Out::Standard => {
                stdout().lock().write_all(&block).map_err(ArchiveError::io("standard output"))
            }
            Out::File { file, part, .. } => {
                file.write_all(&block).map_err(ArchiveError::io(part.display().to_string()))
            }
            Out::Blobs { claim, part_bytes, sizes, open } => {
                claim.hold().await?;
                let (mut writer, mut bytes) = match open.take() {
                    Some(open) => open,
                    None => {
                        let place = part(&claim.key, number_after(sizes));
                        (claim.blobs.create(&place).await?, 0)
                    }
                };
                bytes += block.len() as u64;
                writer.write(Bytes::from(block)).await?;
                if bytes >= *part_bytes {
                    claim.hold().await?;
                    sizes.push(writer.finish().await?);
                } else {
                    *open = Some((writer, bytes));
                }
                Ok(())
            }
        }
    }
}

/// Sees to it that the parts are those that were written, and no others: somebody whose place was taken
/// may have written the last of his after that.
async fn unmixed(claim: &Claim, sizes: &[u64]) -> Result<(), ArchiveError> {
    let ends = sizes.iter().map(|size| Some(*size)).chain([None]);
    for (number, expected) in (1..).zip(ends) {
        let place = part(&claim.key, number);
        if claim.blobs.size(&place).await? != expected {
            return Err(ArchiveError::Differs(format!(
                "{place} is not as it was written: another export has been at it. Export again, to \
                 another place"
            )));
        }
    }
    Ok(())
}

/// An archive holds what only the product may know: nobody else may read it.
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn compressed(lines: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let done = encoder.write_all(lines).and_then(|()| encoder.finish());
    done.map_err(ArchiveError::io("compressing"))
}
