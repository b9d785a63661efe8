//! Who did what to whom, when and from where, kept for 90 days.
//!
//! An entry goes into the same batch as the change it tells of: there is no change without its
//! entry, and no entry without its change.
//!
//! A moment later it is linked to the one before it ([`Chain`]), which shows if anybody changes the log in
//! the database. Entries of one instant come from many processes at once, so it is not done in their batch:
//! that would make all of them wait for each other.

mod chain;
mod model;
mod service;
mod verify;

pub use chain::Chain;
pub use model::{Action, Change, Entry, Link, Outcome};
pub use service::Audit;
pub(crate) use service::is_by_administrator;
pub use verify::Verified;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) mod testing;
