//! Writes an archive line by line, in bounded memory.

use std::fs::{self, File};
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use outrigger_ports::blobs::{BlobWriter, Blobs};

use super::part;
use crate::error::ArchiveError;

/// Lines are given on in pieces of so many bytes.
const BLOCK: usize = 4 * 1024 * 1024;
/// A part in blobs ends once it has so many bytes, as they are written.
const PART: u64 = 64 * 1024 * 1024;

enum Out {
    Standard,
    File {
        file: File,
        part: PathBuf,
        path: PathBuf,
        old: Option<PathBuf>,
    },
    Blobs {
        blobs: Arc<dyn Blobs>,
        key: String,
        next: u32,
        open: Option<(Box<dyn BlobWriter>, u64)>,
    },
}

/// The end of an archive.
pub(crate) struct Writer {
    out: Out,
    gzip: bool,
    lines: Vec<u8>,
}

impl Writer {
    fn new(out: Out, name: &str) -> Self {
        let gzip = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        Self { out, gzip, lines: Vec::new() }
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

    /// From this part on.
    pub(crate) fn blobs(blobs: Arc<dyn Blobs>, key: &str, next: u32) -> Self {
        Self::new(Out::Blobs { blobs, key: key.to_owned(), next, open: None }, key)
    }

    /// Appends a line, which comes without its end.
    pub(crate) async fn line(&mut self, line: &[u8]) -> Result<(), ArchiveError> {
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        if self.lines.len() >= BLOCK { self.flush().await } else { Ok(()) }
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
    pub(crate) async fn finish(mut self) -> Result<(), ArchiveError> {
        self.flush().await?;
        match self.out {
            Out::Standard => stdout().flush().map_err(ArchiveError::io("standard output")),
            Out::File { file, part, path, .. } => {
                let name = path.display().to_string();
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                file.sync_all()
                    .and_then(|()| fs::rename(&part, &path))
                    .and_then(|()| File::open(folder.unwrap_or(Path::new(".")))?.sync_all())
                    .map_err(ArchiveError::io(name))
            }
            Out::Blobs { open, .. } => {
                if let Some((writer, _)) = open {
                    writer.finish().await?;
                }
                Ok(())
            }
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
            Out::Blobs { blobs, key, next, open } => {
                let (mut writer, mut bytes) = match open.take() {
                    Some(open) => open,
                    None => {
                        *next += 1;
                        (blobs.create(&part(key, *next - 1)).await?, 0)
                    }
                };
                bytes += block.len() as u64;
                writer.write(Bytes::from(block)).await?;
                if bytes >= PART {
                    writer.finish().await?;
                } else {
                    *open = Some((writer, bytes));
                }
                Ok(())
            }
        }
    }
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
