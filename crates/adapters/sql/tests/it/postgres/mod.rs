//! PostgreSQL.

mod suite;
