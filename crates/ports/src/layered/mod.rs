//! Decorators of the ports: the same traits, with something more.

pub mod breaker;
pub mod fallback_limiter;
pub mod guarded_cache;
pub mod leased_limiter;
pub mod metered_store;
pub mod outbox_queue;
mod outcomes;
#[cfg(test)]
pub(crate) mod recorded;

pub use breaker::Breaker;
pub use fallback_limiter::FallbackLimiter;
pub use guarded_cache::GuardedCache;
pub use leased_limiter::LeasedLimiter;
pub use metered_store::MeteredStore;
pub use outbox_queue::OutboxQueue;
