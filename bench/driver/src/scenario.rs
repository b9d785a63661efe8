//! What is compared.

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scenario {
    /// A record that is in the cache.
    CachedRead,
    /// A record that is never cached.
    UncachedRead,
    /// A new record with one index, on disk before it is answered.
    DurableCreate,
    /// A record that is in the cache, by a signed-in user.
    AuthenticatedRead,
    /// E-mail and password for a session and a token.
    Login,
    /// A task in Redis, for whoever may enqueue one.
    Enqueue,
}

impl Scenario {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 6] = [
        Self::CachedRead,
        Self::UncachedRead,
        Self::DurableCreate,
        Self::AuthenticatedRead,
        Self::Login,
        Self::Enqueue,
    ];

    /// Its name on the command line and in the results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CachedRead => "cached-read",
            Self::UncachedRead => "uncached-read",
            Self::DurableCreate => "durable-create",
            Self::AuthenticatedRead => "authenticated-read",
            Self::Login => "login",
            Self::Enqueue => "enqueue",
        }
    }

    /// Whether every record is read once before a round, so that all are in the cache.
    pub(crate) const fn is_cached(self) -> bool {
        matches!(self, Self::CachedRead | Self::AuthenticatedRead)
    }
}
