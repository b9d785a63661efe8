//! The rows of a CSV.

use bytes::{Buf, Bytes};
use csv_core::{ReadRecordResult, Reader};
use outrigger_kernel::Result;
use outrigger_ports::blobs::BlobReader;

use super::LINE_BYTES_MAX;

/// Most cells of a row.
const CELLS_MAX: usize = 1_024;

/// A row: its cells, or what is wrong with it.
pub(super) type Row = std::result::Result<Vec<String>, String>;

/// Reads one row after the other; empty lines are none.
pub(super) struct Rows {
    reader: Box<dyn BlobReader>,
    core: Reader,
    piece: Bytes,
    ended: bool,
    line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    pub(super) fn new(reader: Box<dyn BlobReader>) -> Self {
        Self {
            reader,
            core: Reader::new(),
            piece: Bytes::new(),
            ended: false,
            line: 1,
            text: vec![0; 8 * 1024],
            ends: vec![0; CELLS_MAX],
        }
    }

    /// The next row, and the number of the line that it begins in, from 1.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Row)>> {
        self.skip_ends().await?;
        let line = self.line;
        let (mut length, mut cells, mut fits) = (0, 0, true);
        loop {
            self.fill().await?;
            let read = self.core.read_record(
                &self.piece,
                &mut self.text[length..],
                &mut self.ends[cells..],
            );
            let (result, taken, written, ended) = read;
            self.take(taken);
            length += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < LINE_BYTES_MAX => {
                    self.text.resize((2 * self.text.len()).min(LINE_BYTES_MAX), 0);
                }
                // The rest of it is read past.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (length, cells, fits) = (0, 0, false);
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let row = match fits {
            true => self.cells(cells),
            false => Err(format!("a row has at most {LINE_BYTES_MAX} bytes and {CELLS_MAX} cells")),
        };
        Ok(Some((line, row)))
    }

    fn cells(&self, count: usize) -> Row {
        let mut begin = 0;
        let cell = |end: &usize| {
            let bytes = &self.text[std::mem::replace(&mut begin, *end)..*end];
            String::from_utf8(bytes.to_vec()).map_err(|_| "the row is not UTF-8".to_owned())
        };
        self.ends[..count].iter().map(cell).collect()
    }

    /// Has a piece at hand, unless it is the end.
    async fn fill(&mut self) -> Result<()> {
        if self.piece.is_empty() && !self.ended {
            match self.reader.next().await? {
                Some(piece) => self.piece = piece,
                None => self.ended = true,
            }
        }
        Ok(())
    }

    /// Goes to where the next row begins.
    async fn skip_ends(&mut self) -> Result<()> {
        loop {
            self.fill().await?;
            match self.piece.first() {
                Some(b'\r' | b'\n') => self.take(1),
                _ => return Ok(()),
            }
        }
    }

    fn take(&mut self, count: usize) {
        for byte in &self.piece[..count] {
            self.line += u64::from(*byte == b'\n');
        }
        self.piece.advance(count);
    }
}
