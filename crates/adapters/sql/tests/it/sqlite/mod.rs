//! SQLite.

mod suite;
