//! `/api/v1/queues`

pub(crate) mod lease;
pub(crate) mod list;
pub(crate) mod pause;
pub(crate) mod resume;
