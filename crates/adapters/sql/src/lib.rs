//! The store on SQLite and on PostgreSQL.
//!
//! Both give what [`outrigger_ports::store`] promises. [`SqliteStore`] is the embedded default:
//! one writer that groups commits, readers beside it. [`PostgresStore`] is the shared one: a few
//! pipelined connections for reads, a small pool for commits. Neither driver appears in what is
//! public here.

mod bounds;
mod fault;
mod migrations;
mod postgres;
mod span;
mod sqlite;

pub use postgres::{PostgresOptions, PostgresReplica, PostgresStore, crosses_network_unverified};
pub use sqlite::{SqliteOptions, SqliteStore};
