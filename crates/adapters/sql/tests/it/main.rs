//! The store on SQLite and on a real PostgreSQL: the suite of the port, and the faults of each.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod many_tasks;
mod postgres;
mod sqlite;
mod support;
