//! Cursors: where a page ended, in a form that only the same list understands.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outrigger_kernel::{Error, PageRequest, Result, limits};
use outrigger_ports::store::Position;

const MARK: usize = 8;
const FOREIGN: &str = "the cursor is not one that this list gave";

/// A list as its cursors know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List([u8; MARK]);

impl List {
    /// The list that is told from others by these words: what it is a list of, its filters, its
    /// order; not the length of the page.
    pub(crate) fn of(words: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, words.as_bytes());
        let mut mark = [0; MARK];
        mark.copy_from_slice(&digest.as_ref()[..MARK]);
        Self(mark)
    }

    /// The place after which the page starts, if the client named one.
    ///
    /// # Errors
    /// `invalid` with `invalid_cursor` when it is malformed, or of another list.
    pub(crate) fn after(self, page: &PageRequest) -> Result<Option<Position>> {
        page.cursor.as_deref().map(|text| self.read(text)).transpose()
    }

    /// What the page says of where the next one starts. A position is a value and an id, not a
    /// count, so it stays valid while things come and go.
    pub(crate) fn next(self, next: Option<Position>) -> Option<String> {
        next.map(|position| self.write(&position))
    }

    fn write(self, position: &Position) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(&u16::try_from(position.value.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(&position.value);
        bytes.extend_from_slice(position.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the same list.
    ///
    /// # Errors
    /// As [`Self::after`].
    pub(crate) fn read(self, text: &str) -> Result<Position> {
        let invalid = || Error::invalid(&["query", "cursor"], "invalid_cursor", FOREIGN);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let parts = bytes.split_at_checked(MARK).and_then(|(mark, rest)| {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (value, id) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            Some((mark, value, std::str::from_utf8(id).ok()?))
        });
        let (mark, value, id) = parts.ok_or_else(invalid)?;
        let fits = value.len() <= limits::INDEX_VALUE_BYTES_MAX && id.len() <= limits::ID_BYTES_MAX;
        if mark != self.0 || !fits {
            return Err(invalid());
        }
        Ok(Position { value: value.to_vec(), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Position {
        Position { value: vec![0, 255, 7], id: "usr_1".to_owned() }
    }

    #[test]
    fn a_cursor_is_read_by_its_own_list_only() {
        let list = List::of("users");
        let text = list.next(Some(place())).unwrap();
        assert_eq!(list.read(&text).unwrap(), place());
        let error = List::of("collections").read(&text).unwrap_err();
        assert_eq!(error.fields()[0].code, "invalid_cursor");
        assert_eq!(error.fields()[0].loc, ["query", "cursor"]);
    }

    #[test]
    fn what_no_list_gave_is_refused() {
        let list = List::of("users");
        let text = list.write(&place());
        let long = list.write(&Position { id: "x".repeat(65), ..place() });
        let cut = (0..text.len() - 6).map(|end| &text[..end]);
        for wrong in cut.chain(["usr_1", "!!", "AAAA", &long]) {
            assert!(list.read(wrong).is_err(), "{wrong}");
        }
    }
}
