//! The lines of a file.

use bytes::{Bytes, BytesMut};
use outrigger_kernel::Result;
use outrigger_ports::blobs::BlobReader;

use super::LINE_BYTES_MAX;

/// Reads one line after the other.
#[derive(Debug)]
pub(super) struct Lines {
    reader: Box<dyn BlobReader>,
    piece: Bytes,
    number: u64,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn BlobReader>) -> Self {
        Self { reader, piece: Bytes::new(), number: 0 }
    }

    /// The number of the next line, from 1, and the line without its end; `None` instead of a line
    /// that is too long.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Option<Bytes>)>> {
        let mut line = BytesMut::new();
        let mut is_some = false;
        let mut fits = true;
        loop {
            if self.piece.is_empty() {
                match self.reader.next().await? {
                    Some(piece) => self.piece = piece,
                    None => break,
                }
            }
            is_some = true;
            let end = self.piece.iter().position(|byte| *byte == b'\n');
            let part = self.piece.split_to(end.unwrap_or(self.piece.len()));
            fits = fits && line.len() + part.len() <= LINE_BYTES_MAX;
            if fits {
                line.extend_from_slice(&part);
            }
            if end.is_some() {
                let _end = self.piece.split_to(1);
                break;
            }
        }
        self.number += u64::from(is_some);
        let line = line.freeze();
        Ok(is_some.then(|| (self.number, fits.then_some(line))))
    }
}
