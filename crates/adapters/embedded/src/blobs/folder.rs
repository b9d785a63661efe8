//! Blobs as files of a folder. What is being written lies in `.unfinished` below it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::mem;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use outrigger_kernel::{Clock, Random, id};
use outrigger_ports::blobs::{
    BlobError, BlobReader, BlobWriter, Blobs, PIECE_BYTES_MAX, check_key,
};
use outrigger_ports::probe::Probed;

/// No key begins with a dot.
const UNFINISHED: &str = ".unfinished";
/// What nobody has written to for so long was left by a process that is no more.
const LEFT_AFTER: Duration = Duration::from_secs(3_600);

/// Keeps each blob as the file of its key below a folder.
#[derive(Clone, Debug)]
pub struct FolderBlobs {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl FolderBlobs {
    /// In this folder, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { folder: folder.into(), clock, random }
    }

    /// Removes what writers that were killed have left.
    fn sweep(&self, unfinished: &Path) -> io::Result<()> {
        let now = Duration::from_micros(u64::try_from(self.clock.now().as_micros()).unwrap_or(0));
        for entry in fs::read_dir(unfinished)? {
            let entry = entry?;
            // Its writer may finish it at this instant.
            let Ok(written) = entry.metadata().and_then(|meta| meta.modified()) else { continue };
            let at = written.duration_since(UNIX_EPOCH).unwrap_or_default();
            if now.saturating_sub(at) > LEFT_AFTER {
                // Another process may have been quicker.
                found(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn begin(&self, key: &str) -> io::Result<Writer> {
        let unfinished = self.folder.join(UNFINISHED);
        fs::create_dir_all(&unfinished)?;
        self.sweep(&unfinished)?;
        let mut mark = [0_u8; 12];
        self.random.fill(&mut mark);
        let path = unfinished.join(id::hex(&mark));
        let file = File::create_new(&path)?;
        let target = self.folder.join(key);
        Ok(Writer {
            file: Some(file),
            path: Some(path),
            target,
            gathered: BytesMut::new(),
            size: 0,
        })
    }
}

#[derive(Debug)]
struct Reader(Option<io::Take<File>>);

/// The path is there until the file has its place.
#[derive(Debug)]
struct Writer {
    file: Option<File>,
    path: Option<PathBuf>,
    target: PathBuf,
    /// What is not written yet: pieces may be as small as a byte, and each write is of another thread.
    gathered: BytesMut,
    size: u64,
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What cannot be removed now is swept later.
            let _ = fs::remove_file(path);
        }
    }
}

impl Writer {
    async fn flush(&mut self) -> Result<(), BlobError> {
        let Some(mut file) = self.file.take() else {
            return Err(BlobError::Unavailable("an earlier piece was not written".into()));
        };
        let mut gathered = mem::take(&mut self.gathered);
        let written = blocking(move || {
            file.write_all(&gathered)?;
            gathered.clear();
            Ok((file, gathered))
        });
        let (file, gathered) = written.await?;
        self.file = Some(file);
        self.gathered = gathered;
        Ok(())
    }
}

#[async_trait]
impl BlobReader for Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let Some(mut file) = self.0.take() else { return Ok(None) };
        let (file, piece) = blocking(move || {
            let mut piece = BytesMut::zeroed(PIECE_BYTES_MAX);
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            Ok((file, piece.freeze()))
        })
        .await?;
        if piece.is_empty() {
            return Ok(None);
        }
        self.0 = Some(file);
        Ok(Some(piece))
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        self.size += piece.len() as u64;
        self.gathered.extend_from_slice(&piece);
        if self.gathered.len() < PIECE_BYTES_MAX {
            return Ok(());
        }
        self.flush().await
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, BlobError> {
        self.flush().await?;
        let (Some(file), Some(path)) = (self.file.take(), self.path.clone()) else {
            return Err(BlobError::Unavailable("an earlier piece was not written".into()));
        };
        let target = self.target.clone();
        blocking(move || {
            let folder = target.parent().unwrap_or(&target);
            fs::create_dir_all(folder)?;
            file.sync_all()?;
            fs::rename(path, &target)?;
            File::open(folder)?.sync_all()
        })
        .await?;
        self.path = None;
        Ok(self.size)
    }
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn create(&self, key: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        check_key(key)?;
        let (blobs, key) = (self.clone(), key.to_owned());
        Ok(Box::new(blocking(move || blobs.begin(&key)).await?))
    }

    async fn open_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        check_key(key)?;
        let path = self.folder.join(key);
        let file = blocking(move || {
            let Some(mut file) = found(open_file(&path))?.flatten() else { return Ok(None) };
            file.seek(SeekFrom::Start(range.start))?;
            Ok(Some(file.take(range.end.saturating_sub(range.start))))
        })
        .await?;
        Ok(file.map(|file| Box::new(Reader(Some(file))) as Box<dyn BlobReader>))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        check_key(key)?;
        let path = self.folder.join(key);
        let file = blocking(move || found(fs::metadata(path))).await?;
        Ok(file.filter(fs::Metadata::is_file).map(|file| file.len()))
    }

    async fn delete(&self, key: &str) -> Result<bool, BlobError> {
        check_key(key)?;
        let (path, unfinished) = (self.folder.join(key), self.folder.join(UNFINISHED));
        let blobs = self.clone();
        let removed = blocking(move || {
            // What is deleted may be what a killed process has begun.
            found(blobs.sweep(&unfinished))?;
            let removed = found(fs::remove_file(&path))?;
            // Who is told that it is gone forgets it, so it must not come back with a power cut; an earlier
            // try may have removed it and no more.
            let folder = path.parent().unwrap_or(&path);
            found(File::open(folder).and_then(|folder| folder.sync_all()))?;
            Ok(removed)
        });
        Ok(removed.await?.is_some())
    }

    async fn probe(&self) -> Result<Probed, BlobError> {
        let start = Instant::now();
        let folder = self.folder.clone();
        blocking(move || fs::create_dir_all(folder.join(UNFINISHED))).await?;
        let facts = vec![("folder", self.folder.display().to_string())];
        let (latency, version) = (start.elapsed(), "folder".to_owned());
        Ok(Probed { latency, version, facts, findings: Vec::new() })
    }
}

/// Opens what is a file and no folder.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// What is not there is no fault.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Does it on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|_| Err(io::Error::other("the thread that does it ended")));
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BlobError::Full(error.into()),
        _ => BlobError::Unavailable(error.into()),
    })
}
