//! Cache, limiter and queue on Redis: one server, or a cluster, with or without TLS.
//!
//! [`RedisClient`] is made once per core on that core's runtime; [`RedisCache`], [`RedisLimiter`] and
//! [`RedisQueue`] use it. Scripts touch the keys of one hash slot only, so all of it works on a
//! cluster. Needs Redis 6 or later, or Valkey.

mod cache;
mod client;
mod error;
mod limiter;
mod link;
mod options;
mod probe;
mod queue;
mod script;
mod supervisor;
mod target;

pub use cache::RedisCache;
pub use client::RedisClient;
pub use error::{CallError, ConfigError};
pub use limiter::RedisLimiter;
pub use options::RedisOptions;
pub use queue::RedisQueue;
