//! What happens when a backend is away.
