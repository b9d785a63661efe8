//! Writes an object: a small one with one request, a larger one in parts.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use outrigger_ports::blobs::{BlobError, BlobWriter};
use tokio::task::JoinHandle;

use crate::error::fault;

/// The size of a part, in bytes. Of these there may be 10,000.
pub(crate) const PART_BYTES: usize = 8 * 1024 * 1024;

/// Holds at most the part that is filled and the one that is sent.
#[derive(Debug)]
pub(crate) struct Writer {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    /// Copied together: a piece may be a single byte, of a buffer that it keeps.
    part: BytesMut,
    size: u64,
    parts: Option<Parts>,
}

/// An upload in parts; dropped before its end, it is taken back.
#[derive(Debug)]
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
    sending: Option<JoinHandle<object_store::Result<()>>>,
}

impl Writer {
    /// Nothing is sent yet.
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self { objects, path, part: BytesMut::new(), size: 0, parts: None }
    }

    fn take(&mut self) -> PutPayload {
        PutPayload::from_bytes(mem::take(&mut self.part).freeze())
    }

    async fn send_part(&mut self) -> Result<(), BlobError> {
        let payload = self.take();
        if self.parts.is_none() {
            let upload = self.objects.put_multipart(&self.path).await.map_err(fault)?;
            self.parts = Some(Parts { upload: Some(upload), sending: None });
        }
        match &mut self.parts {
            Some(parts) => parts.send(payload).await,
            None => Ok(()),
        }
    }
}

impl Parts {
    async fn send(&mut self, payload: PutPayload) -> Result<(), BlobError> {
        self.settle().await?;
        if let Some(upload) = &mut self.upload {
            self.sending = Some(tokio::spawn(upload.put_part(payload)));
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), BlobError> {
        let Some(sending) = self.sending.take() else { return Ok(()) };
        sending.await.map_err(|ended| BlobError::Unavailable(ended.into()))?.map_err(fault)
    }

    async fn complete(mut self) -> Result<(), BlobError> {
        self.settle().await?;
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(fault)?;
            self.upload = None;
        }
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        let sending = self.sending.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A part that arrives after the upload was taken back would stay.
                if let Some(sending) = sending {
                    let _ = sending.await;
                }
                // What cannot be taken back now is when its key is cleared.
                let _ = upload.abort().await;
            });
        }
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, mut piece: Bytes) -> Result<(), BlobError> {
        self.size += piece.len() as u64;
        while !piece.is_empty() {
            let taken = piece.split_to(piece.len().min(PART_BYTES - self.part.len()));
            self.part.extend_from_slice(&taken);
            if self.part.len() == PART_BYTES {
                self.send_part().await?;
                // More is likely to come; as a whole it is not copied while it grows.
                self.part.reserve(PART_BYTES);
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, BlobError> {
        if self.parts.is_some() && !self.part.is_empty() {
            self.send_part().await?;
        }
        match self.parts.take() {
            Some(parts) => parts.complete().await?,
            None => {
                let payload = self.take();
                self.objects.put(&self.path, payload).await.map_err(fault)?;
            }
        }
        Ok(self.size)
    }
}
