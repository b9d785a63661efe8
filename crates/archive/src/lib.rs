//! Archives: all documents of a store as one file, to keep or to bring to another store.
//!
//! Knows the ports and nothing else, so an archive of any store goes into any other. What it looks
//! like stands in [`line`]; what is in it, and what not, in docs/guides/archives.md.

mod digest;
mod error;
mod export;
mod guard;
mod import;
pub mod line;
mod place;
mod settle;
mod target;

pub use error::ArchiveError;
pub use export::{Exporting, PAGE, Pages, export};
pub use guard::ensure_whole;
pub use import::{Imported, Importing, import};
pub use place::Place;

/// The collection in which processes say that they are there; what one has said expires soon after it.
const PROCESSES: &str = "sys.replicas";

/// Collections that are in no archive. The head of the audit log follows from its entries; the others
/// speak of the processes that run now, not of what the product knows: leases, notices about values in
/// caches, and the processes themselves.
pub const LEFT_OUT: [&str; 4] = ["sys.audit_chain", "sys.leases", "sys.notices", PROCESSES];

/// How far it has come, for a person who waits.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What is being done, as a word: `counting`, `reading`, `checking`, `emptying`, `writing`, `comparing`.
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
