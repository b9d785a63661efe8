//! Files: one file for each operation.

mod body;
pub(crate) mod content;
pub(crate) mod create;
pub(crate) mod delete;
mod download;
pub(crate) mod get;
pub(crate) mod list;
mod multipart;
mod range;
pub(crate) mod uploads;
