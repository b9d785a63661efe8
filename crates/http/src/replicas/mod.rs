//! The processes of the deployment.

pub(crate) mod list;
pub(crate) mod overview;
