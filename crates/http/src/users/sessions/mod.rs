//! The sessions of a user, for administrators.

pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod revoke_all;
