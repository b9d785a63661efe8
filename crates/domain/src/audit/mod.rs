//! Who did what to whom, when and from where, kept for 90 days.
//!
//! An entry goes into the same batch as the change it tells of: there is no change without its
//! entry, and no entry without its change.

mod model;
mod service;

pub use model::{Action, Entry, Outcome};
pub use service::Audit;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) mod testing;
