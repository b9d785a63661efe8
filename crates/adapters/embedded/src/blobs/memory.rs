//! Blobs in memory, for tests.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use outrigger_ports::blobs::{
    BlobError, BlobReader, BlobWriter, Blobs, PIECE_BYTES_MAX, check_key,
};
use outrigger_ports::probe::Probed;

type Kept = Arc<Mutex<HashMap<String, Bytes>>>;

/// Keeps blobs as long as it lives.
#[derive(Clone, Debug, Default)]
pub struct MemoryBlobs(Kept);

impl MemoryBlobs {
    fn get(&self, key: &str) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

#[derive(Debug)]
struct Reader(Bytes);

#[derive(Debug)]
struct Writer {
    kept: Kept,
    key: String,
    bytes: BytesMut,
}

#[async_trait]
impl BlobReader for Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let piece = self.0.split_to(self.0.len().min(PIECE_BYTES_MAX));
        Ok((!piece.is_empty()).then_some(piece))
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        self.bytes.extend_from_slice(&piece);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<u64, BlobError> {
        let size = self.bytes.len() as u64;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(self.key, self.bytes.freeze());
        Ok(size)
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn create(&self, key: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        check_key(key)?;
        let (kept, key) = (self.0.clone(), key.to_owned());
        Ok(Box::new(Writer { kept, key, bytes: BytesMut::new() }))
    }

    async fn open_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        check_key(key)?;
        let Some(bytes) = self.get(key) else { return Ok(None) };
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let (start, end) = (within(range.start), within(range.end));
        Ok(Some(Box::new(Reader(bytes.slice(start..end.max(start))))))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        check_key(key)?;
        Ok(self.get(key).map(|bytes| bytes.len() as u64))
    }

    async fn delete(&self, key: &str) -> Result<bool, BlobError> {
        check_key(key)?;
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key).is_some())
    }

    async fn probe(&self) -> Result<Probed, BlobError> {
        Ok(Probed { version: "memory".to_owned(), ..Probed::default() })
    }
}
