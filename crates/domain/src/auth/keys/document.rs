//! The signing keys as the store keeps them: one document, so that replicas agree at each instant
//! on which key signs.

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::Entity;
use serde::{Deserialize, Serialize};

/// The id of the document.
pub(super) const ID: &str = "ring";

/// All keys, the oldest first; the last one whose time has come signs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::auth) struct RingDocument {
    pub(super) keys: Vec<StoredKey>,
}

/// One key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredKey {
    /// One more than that of the key before it.
    pub(super) generation: u64,
    /// The name of the key in tokens.
    pub(super) kid: String,
    /// When it was made.
    pub(super) created_at: Timestamp,
    /// From when on it signs. Until then it is only published, so that everybody knows it.
    pub(super) signs_from: Timestamp,
    /// From when on no valid token is signed by it; none for the last key.
    pub(super) not_after: Option<Timestamp>,
    /// The modulus, base64url.
    pub(super) n: String,
    /// The exponent, base64url.
    pub(super) e: String,
    /// The private key, encrypted; removed when the key signs no more.
    pub(super) sealed: Option<String>,
}

impl Entity for RingDocument {
    const COLLECTION: &'static str = "sys.keys";
    const NAME: &'static str = "ring of signing keys";
}
