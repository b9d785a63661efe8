//! What a user wants to be told, and how.

pub(crate) mod get;
pub(crate) mod put;
