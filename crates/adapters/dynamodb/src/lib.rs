//! The store on DynamoDB: one table.
//!
//! It gives what [`outrigger_ports::store`] promises. Documents, index entries and unique entries are
//! items of one table; a batch is one transaction. How they are laid out, and why, stands in
//! `docs/adr/0010-dynamodb.md`. The SDK does not appear in what is public here.

mod batch_get;
mod collections;
mod commit;
mod error;
mod item;
mod key;
mod link;
mod meter;
mod migrate;
mod options;
mod probe;
mod purge;
mod query;
mod reading;
mod repair;
mod scan;
mod span;
mod store;
mod target;

pub use options::DynamoOptions;
pub use store::DynamoStore;
