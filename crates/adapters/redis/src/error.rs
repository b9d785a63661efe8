//! What goes wrong with Redis.

use outrigger_ports::cache::CacheError;
use outrigger_ports::limiter::LimiterError;
use redis::RedisError;

/// Options that cannot work, whatever Redis does. Never holds the URL, which may have a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

/// Why Redis did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection now; nothing was sent.
    #[error("there is no connection to redis")]
    Away,
    /// The connection broke, the answer did not come in time, or it was an error.
    #[error("redis: {0}")]
    Failed(#[from] RedisError),
    /// An answer that no script of ours gives.
    #[error("redis gave an answer that was not expected")]
    Unexpected,
}

impl From<CallError> for CacheError {
    fn from(error: CallError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<CallError> for LimiterError {
    fn from(error: CallError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
