//! Archives: all documents of a store as one file, to keep or to bring to another store.
//!
//! Knows the ports and nothing else, so an archive of any store goes into any other. What it looks
//! like stands in [`line`]; what is in it, and what not, in docs/guides/archives.md.

mod digest;
mod error;
mod export;
mod import;
pub mod line;
mod place;
mod settle;
mod target;

pub use error::ArchiveError;
pub use export::{Exporting, PAGE, Pages, export};
pub use import::{Imported, Importing, import};
pub use place::Place;

/// Collections that speak of the processes that run now, not of what the product knows: leases, and
/// notices about values in caches.
pub const LEFT_OUT: [&str; 2] = ["sys.leases", "sys.notices"];

/// How far it has come, for a person who waits.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What is being done, as a word: `reading`, `checking`, `emptying`, `writing`, `comparing`.
    pub doing: &'static str,
    /// Documents done.
    pub documents: u64,
    /// Of how many, if that is known.
    pub of: Option<u64>,
    /// Where it is now.
    pub collection: &'a str,
}

/// Is told of each page.
pub type Watch<'a> = &'a mut dyn FnMut(&Step<'_>);
