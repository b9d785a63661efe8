//! SQLite.

mod disk;
mod open;
mod suite;
