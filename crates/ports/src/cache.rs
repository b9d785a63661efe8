//! The cache port: values with a time to live, filled under leases.
//!
//! A lease is what makes cache-aside correct. Who misses gets one (or learns that somebody else
//! has it), and a fill is accepted only while that lease stands. Invalidation ends it, so a slow
//! reader cannot put back what a writer has just changed:
//!
//! 1. A writer calls [`Cache::hold`] *before* it commits: the value is removed, standing leases
//!    end, and until [`Cache::release`] (or `hold_for`, when the writer dies) nobody gets a lease.
//! 2. It commits to the store.
//! 3. It calls [`Cache::release`]: from now on a miss gets a lease again, and loads the new value.

use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

use crate::probe::Probed;

/// The right to fill one key; ends when used, invalidated, or after `lease_for`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease(pub u128);

/// What the cache knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The value.
    Hit(Bytes),
    /// Nothing; the caller shall load the value and [fill](Cache::fill) it with this lease.
    Miss(Lease),
    /// Nothing; somebody else is loading it and will fill it soon.
    Loading,
    /// Nothing; a writer holds the key. Load from the store and do not fill.
    Held,
}

/// Proof of a hold, needed to release it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold(pub u128);

/// Why the cache did not do what was asked. Never an error for a client: callers go to the store.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The cache is away.
    #[error("the cache is not available: {0}")]
    Unavailable(#[source] crate::store::Cause),
    /// Not asked, because the cache was away a moment ago.
    #[error("the cache is skipped while its breaker is open")]
    Skipped,
}

/// A cache. Keys are up to 256 bytes, values up to 1 MiB. An adapter bounds the time of each call:
/// a cache that does not answer soon is worse than none.
#[async_trait]
pub trait Cache: Send + Sync + std::fmt::Debug {
    /// Looks the key up; on a miss hands out at most one lease at a time, valid `lease_for`.
    async fn lookup(&self, key: &str, lease_for: Duration) -> Result<Lookup, CacheError>;

    /// The value, if there is one; hands out no lease.
    async fn peek(&self, key: &str) -> Result<Option<Bytes>, CacheError>;

    /// Puts the value if the lease still stands; says whether it did.
    async fn fill(
        &self,
        key: &str,
        lease: &Lease,
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, CacheError>;

    /// Gives the lease back without a value (the load failed), so that the next one may try.
    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError>;

    /// Removes the values, ends their leases, and hands out no new ones until released or for
    /// `hold_for`. Several holds of a key may overlap: it is free when the last one has ended.
    async fn hold(&self, keys: &[String], hold_for: Duration) -> Result<Hold, CacheError>;

    /// Removes the values again, ends leases that were handed out since (the hold may have run
    /// out), and ends this hold.
    async fn release(&self, keys: &[String], hold: &Hold) -> Result<(), CacheError>;

    /// Asks the cache something real.
    async fn probe(&self) -> Result<Probed, CacheError>;
}
