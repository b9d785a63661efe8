//! `/api/v1/files/uploads`: files that clients send to the object storage themselves.

pub(crate) mod complete;
pub(crate) mod create;
