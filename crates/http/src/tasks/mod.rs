//! `/api/v1/tasks`

pub(crate) mod cancel;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod fail;
pub(crate) mod get;
pub(crate) mod heartbeat;
pub(crate) mod list;
pub(crate) mod retry;
pub(crate) mod retry_many;
