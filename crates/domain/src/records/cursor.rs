//! Cursors: where a page ended, in a form that only this list understands.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outrigger_kernel::{Error, Result, limits};
use outrigger_ports::store::Position;

use super::definition::Compiled;
use super::filter::ListRequest;

const MARK: usize = 8;

/// Writes the place after which the next page starts. A position is a value and an id, not a
/// count, so it stays valid while records come and go.
pub(crate) fn write(compiled: &Compiled, request: &ListRequest, position: &Position) -> String {
    let mut bytes = mark(compiled, request).to_vec();
    bytes.extend_from_slice(&u16::try_from(position.value.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&position.value);
    bytes.extend_from_slice(position.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of the same list.
///
/// # Errors
/// `invalid` when it is malformed, or of a list with other filters or another order.
pub(crate) fn read(compiled: &Compiled, request: &ListRequest, text: &str) -> Result<Position> {
    let invalid = |message| Error::invalid(&["query", "cursor"], "invalid_cursor", message);
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| invalid("the cursor is not one that this API gave"))?;
    let parts = bytes.split_at_checked(MARK).and_then(|(mark, rest)| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (value, id) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        Some((mark, value, std::str::from_utf8(id).ok()?))
    });
    let (given, value, id) =
        parts.ok_or_else(|| invalid("the cursor is not one that this API gave"))?;
    if given != mark(compiled, request) {
        return Err(invalid("the cursor belongs to a list with other filters or another order"));
    }
    if value.len() > limits::INDEX_VALUE_BYTES_MAX || id.len() > limits::ID_BYTES_MAX {
        return Err(invalid("the cursor is not one that this API gave"));
    }
    Ok(Position { value: value.to_vec(), id: id.to_owned() })
}

/// Tells lists apart: the collection, its filters and its order, but not the length of the page.
fn mark(compiled: &Compiled, request: &ListRequest) -> [u8; MARK] {
    let list = format!("{}\0{:?}\0{:?}", compiled.store_collection, request.sort, request.filters);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, list.as_bytes());
    let mut mark = [0; MARK];
    mark.copy_from_slice(&digest.as_ref()[..MARK]);
    mark
}
