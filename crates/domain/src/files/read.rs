//! Reading a file: what is known of it, and its bytes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_kernel::{Ctx, Error, Result};
use outrigger_ports::blobs::{BlobReader, Blobs};

use super::model::{FileView, key, stored_view};
use super::service::Files;
use crate::rule;

/// A file that the caller may read.
#[derive(Debug)]
pub struct Opened {
    /// What is known of it.
    pub file: FileView,
    blobs: Arc<dyn Blobs>,
}

/// Bytes of a file.
#[derive(Debug)]
pub struct Content(Box<dyn BlobReader>);

impl Files {
    /// What is known of the file.
    ///
    /// # Errors
    /// What its rule says; `not_found`.
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<FileView> {
        Ok(self.open(ctx, id).await?.file)
    }

    /// The file, to read from it.
    ///
    /// # Errors
    /// As [`Files::get`].
    pub async fn open(&self, ctx: &Ctx, id: &str) -> Result<Opened> {
        let file = self.find(id).await?;
        rule::check(&file.value.read, ctx, file.value.owner.as_deref(), "file").or_else(
            |error| {
                // Who uploaded it may read it, whatever rule there is for others.
                let is_own =
                    file.value.owner.is_some() && file.value.owner.as_deref() == ctx.user_id();
                if is_own { Ok(()) } else { Err(error) }
            },
        )?;
        Ok(Opened { file: stored_view(file), blobs: self.blobs.clone() })
    }
}

impl Opened {
    /// These of its bytes.
    ///
    /// # Errors
    /// `not_found` when it was deleted meanwhile; `unavailable`.
    pub async fn read(&self, range: Range<u64>) -> Result<Content> {
        let reader = self.blobs.open_range(&key(&self.file.id), range).await?;
        reader.map(Content).ok_or_else(|| Error::not_found("file"))
    }
}

impl Content {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let piece = self.0.next().await?;
        if let Some(piece) = &piece {
            metrics::counter!("outrigger_files_bytes_total", "direction" => "out")
                .increment(piece.len() as u64);
        }
        Ok(piece)
    }
}
