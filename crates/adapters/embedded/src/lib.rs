//! Adapters that need no outside service: memory store, cache and limiter.
