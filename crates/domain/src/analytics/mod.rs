//! Analytics: events that clients send, counted by hour and by day in whatever time zone is asked for.
//!
//! 1. **Taken** (`ingest`): the events of a request go into the store in chunks, each in one batch with
//!    the ids of its events. An id that is there already fails the batch, so an event is in one chunk
//!    at most, whoever sends it how often. An id is forgotten only when its event would be refused as
//!    too old. Nothing that several processes write is one document: chunks are new ones.
//! 2. **Counted** (`count`): one process after the other takes a number of chunks, notes them in the
//!    journal under the next number, adds them to the documents of counts, and deletes them. A
//!    document of counts says the last number that was added to it, so whoever dies when, or is slow
//!    and does it beside another: each chunk is added to each document once.
//! 3. **Asked** (`query`): counts are kept by quarters of an hour (UTC), of which the hours and days of
//!    every time zone are made. An answer says up to when it holds everything that was taken.

mod check;
mod count;
mod counts;
mod delta;
mod ingest;
mod list;
mod model;
mod query;
mod service;
mod span;

pub use check::{NewEvent, NewEvents, PropertyValue};
pub use count::Counter;
pub use ingest::Taken;
pub use list::EventName;
pub use query::{Answer, GroupCounts, IntervalCount, Question};
pub use service::{Analytics, Settings};
pub use span::Interval;

#[cfg(test)]
mod tests;
