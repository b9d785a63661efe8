//! Blobs in a folder, and in memory for tests.

mod folder;
mod memory;

pub use folder::FolderBlobs;
pub use memory::MemoryBlobs;
