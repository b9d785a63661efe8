//! Records: one file for each operation.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod openapi;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod replace;
pub(crate) mod view;

pub(crate) use view::header;

/// The path of one record.
pub(crate) type RecordPath = axum::extract::Path<(String, String)>;
