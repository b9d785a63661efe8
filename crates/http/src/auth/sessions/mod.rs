//! The sessions of the user who asks.

pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod revoke_all;
