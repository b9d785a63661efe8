//! Users: themselves, and for administrators everybody.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod me;
pub(crate) mod sessions;
pub(crate) mod update;
