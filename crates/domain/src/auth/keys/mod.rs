//! The keys that sign access tokens: generated, kept, rotated, published.

mod document;
mod pem;
mod ring;
mod rsa;

pub(super) use document::RingDocument;
pub use ring::RotatedKey;
pub(super) use ring::{KeyRing, PUBLISHED_FOR, Replaced, SigningKey, Tools, VerifyingKey};
