//! Files of users: bytes in the blobs, and what is known of them in the store.
//!
//! 1. **There or not.** A file is there when its document is; the blob was complete before. While a
//!    file is made and while it is deleted, a second document, `model::Loose`, says that its blob
//!    may belong to nobody. It comes into the store before the blob does and leaves it in the batch
//!    that makes the file, so that whoever dies when: what is left is found and removed (`sweep`).
//! 2. **What it is, its bytes say**, not who sends it (`sniff`). A file never changes.
//! 3. **Piece by piece**: nothing holds a file as a whole in memory.

mod delete;
mod list;
mod media_type;
mod model;
mod name;
mod owners;
mod read;
mod service;
mod signed;
mod sniff;
mod sweep;
mod upload;

pub use media_type::MediaRange;
pub use model::FileView;
pub use read::{Content, Opened};
pub use service::{Files, Settings};
pub use signed::{NewUpload, UploadView};
pub use upload::NewFile;

#[cfg(test)]
mod tests;
