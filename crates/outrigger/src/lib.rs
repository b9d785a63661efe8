//! A production backend in one binary: accounts, sessions and records on SQLite or PostgreSQL and Redis.
