//! Reads an archive line by line, in bounded memory.

use std::fs::File;
use std::io::{Read, Write as _, stdin};
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use outrigger_ports::blobs::{BlobReader, Blobs};

use super::part;
use crate::error::ArchiveError;

/// Bytes read at once.
const PIECE: usize = 64 * 1024;
/// No line is longer: a document with all its entries takes less than half of it.
const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

enum Bytewise {
    Reader(Box<dyn Read + Send>),
    Blobs { blobs: Arc<dyn Blobs>, key: String, next: u32, open: Option<Box<dyn BlobReader>> },
}

/// The lines of an archive.
pub(crate) struct Lines {
    from: Bytewise,
    place: String,
    inflate: Option<MultiGzDecoder<Vec<u8>>>,
    buffer: BytesMut,
    /// So much of the buffer holds no end of a line.
    searched: usize,
    is_begun: bool,
    is_over: bool,
    /// The lines read so far.
    pub(crate) number: u64,
    /// It ends within a line, or within what is compressed.
    pub(crate) is_cut: bool,
}

impl Lines {
    fn new(from: Bytewise, place: String) -> Self {
        Self {
            from,
            place,
            inflate: None,
            buffer: BytesMut::new(),
            searched: 0,
            is_begun: false,
            is_over: false,
            number: 0,
            is_cut: false,
        }
    }

    pub(crate) fn of_stdin() -> Self {
        Self::new(Bytewise::Reader(Box::new(stdin())), "standard input".to_owned())
    }

    pub(crate) fn of_file(path: &Path) -> Result<Self, ArchiveError> {
        let place = path.display().to_string();
        let file = File::open(path).map_err(ArchiveError::io(&*place))?;
        Ok(Self::new(Bytewise::Reader(Box::new(file)), place))
    }

    /// From this part on.
    pub(crate) fn of_blobs(blobs: Arc<dyn Blobs>, key: &str, next: u32) -> Self {
        let from = Bytewise::Blobs { blobs, key: key.to_owned(), next, open: None };
        Self::new(from, key.to_owned())
    }

    /// The next line without its end; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ArchiveError> {
        loop {
            let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            if let Some(at) = found {
                let line = self.buffer.split_to(self.searched + at).freeze();
                self.buffer.advance(1);
                self.searched = 0;
                self.number += 1;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > LINE_BYTES_MAX {
                return Err(self.wrong("it is longer than a document can be: this is no archive"));
            }
            if self.is_over {
                self.is_cut |= !self.buffer.is_empty();
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// An error of the line that was read last, or of the next when none was.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> ArchiveError {
        ArchiveError::Format { line: self.number.max(1), what: what.into() }
    }

    async fn fill(&mut self) -> Result<(), ArchiveError> {
        let Some(piece) = self.piece().await? else {
            self.is_over = true;
            if let Some(inflate) = &mut self.inflate {
                self.is_cut = inflate.try_finish().is_err();
                self.buffer.extend_from_slice(&std::mem::take(inflate.get_mut()));
            }
            return Ok(());
        };
        if !std::mem::replace(&mut self.is_begun, true) && piece.starts_with(&GZIP) {
            self.inflate = Some(MultiGzDecoder::new(Vec::new()));
        }
        match &mut self.inflate {
            None => self.buffer.extend_from_slice(&piece),
            Some(inflate) => {
                inflate.write_all(&piece).map_err(ArchiveError::io(&*self.place))?;
                self.buffer.extend_from_slice(&std::mem::take(inflate.get_mut()));
            }
        }
        Ok(())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, ArchiveError> {
        match &mut self.from {
            Bytewise::Reader(reader) => {
                let mut piece = vec![0; PIECE];
                let length = reader.read(&mut piece).map_err(ArchiveError::io(&*self.place))?;
                piece.truncate(length);
                Ok((length > 0).then(|| Bytes::from(piece)))
            }
            Bytewise::Blobs { blobs, key, next, open } => loop {
                if let Some(reader) = open
                    && let Some(piece) = reader.next().await?
                {
                    return Ok(Some(piece));
                }
                *open = blobs.open(&part(key, *next)).await?;
                *next += 1;
                if open.is_none() {
                    return Ok(None);
                }
            },
        }
    }
}
