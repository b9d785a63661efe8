//! The store on MongoDB: one collection.
//!
//! It gives what [`outrigger_ports::store`] promises. A document holds its own index and unique
//! entries, so most batches of one write are one atomic operation; others are transactions. How that
//! is laid out, and why, stands in `docs/adr/0011-mongodb.md`. The driver does not appear in what is
//! public here.

mod commit;
mod error;
mod key;
mod link;
mod migrate;
mod options;
mod probe;
mod purge;
mod query;
mod reached;
mod ready;
mod span;
mod store;
mod stored;
mod target;

pub use options::MongoOptions;
pub use store::MongoStore;
