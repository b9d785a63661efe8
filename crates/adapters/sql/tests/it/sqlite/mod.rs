//! SQLite.

mod disk;
mod open;
mod queue;
mod suite;
