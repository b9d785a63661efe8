//! Cache and limiter on Redis.
