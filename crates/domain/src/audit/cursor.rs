//! Cursors of lists that follow the order of ids: the cursor is the last id of the page before.

use outrigger_kernel::{Error, PageRequest, Result, id};

/// The id after which the page starts, if the client named one.
///
/// # Errors
/// `invalid` at `query.cursor` when it is not one that a page before could have ended with.
pub(crate) fn id_cursor(page: &PageRequest) -> Result<Option<String>> {
    match &page.cursor {
        Some(cursor) if !id::is_valid_name(cursor) => Err(Error::invalid(
            &["query", "cursor"],
            "cursor",
            "this is not the next_cursor of a page of this list",
        )),
        cursor => Ok(cursor.clone()),
    }
}
