//! The kit's own tests, on real servers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cleanup;
mod haproxy;
mod nginx;
mod postgres;
mod proxy;
mod redis;
