//! The user who asks.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod update;
