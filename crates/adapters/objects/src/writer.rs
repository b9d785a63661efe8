//! Writes an object: a small one with one request, a larger one in parts.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
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
    pieces: Vec<Bytes>,
    filled: usize,
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
        Self { objects, path, pieces: Vec::new(), filled: 0, size: 0, parts: None }
    }

    fn take(&mut self) -> PutPayload {
        self.filled = 0;
        PutPayload::from_iter(mem::take(&mut self.pieces))
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
                // What cannot be taken back now is removed by the bucket's rule for such uploads.
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
            let taken = piece.split_to(piece.len().min(PART_BYTES - self.filled));
            self.filled += taken.len();
            self.pieces.push(taken);
            if self.filled == PART_BYTES {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<u64, BlobError> {
        if self.parts.is_some() && self.filled > 0 {
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
