//! What is known of a file, and of a blob that may belong to none.

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::{Entity, Stored, entry};
use outrigger_ports::index_value;
use outrigger_ports::store::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::Rule;

/// The index of files by their owner.
pub(super) const BY_OWNER: &str = "owner";
/// The index of loose blobs by when they are removed.
pub(super) const BY_END: &str = "until";

/// A file, as the store keeps it under its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) size: u64,
    /// Of a file whose bytes came through here.
    pub(super) sha256: Option<String>,
    pub(super) read: Rule,
    pub(super) owner: Option<String>,
    pub(super) created_at: Timestamp,
    /// Until then somebody has a request that could write its blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_until: Option<Timestamp>,
}

impl Entity for File {
    const COLLECTION: &'static str = "sys.files";
    const NAME: &'static str = "file";

    fn entries(&self) -> Vec<Entry> {
        let owner = self.owner.iter().map(|owner| entry(BY_OWNER, index_value::of_str(owner)));
        owner.collect()
    }
}

/// A blob that belongs to no file yet, or to none any more; kept under the file's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loose {
    /// From then on it is removed.
    pub(super) until: Timestamp,
    /// No file is made of it any more.
    #[serde(default)]
    pub(super) doomed: bool,
    /// It is written in pieces: what a killed process has begun may lie beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) begun: bool,
    /// What somebody else may upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) promised: Option<File>,
}

impl Entity for Loose {
    const COLLECTION: &'static str = "sys.loose_blobs";
    const NAME: &'static str = "upload";

    fn entries(&self) -> Vec<Entry> {
        vec![entry(BY_END, index_value::of_time(self.until))]
    }
}

/// How far the owners of files were looked at; one document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The last one; none: the next one is the first.
    pub(super) after: Option<String>,
    /// It goes on then.
    pub(super) at: Timestamp,
}

impl Entity for Walk {
    const COLLECTION: &'static str = "sys.file_owner_walks";
    const NAME: &'static str = "walk";
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "File")]
pub struct FileView {
    /// `fil_…`
    pub id: String,
    /// As it was called by who uploaded it, without folders.
    pub name: String,
    /// What its bytes are.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal digits; null when the bytes did not come through this server.
    pub sha256: Option<String>,
    /// Who may read it.
    pub read: Rule,
    /// The id of the user who uploaded it; null when nobody had signed in.
    pub owner: Option<String>,
    /// When it was uploaded, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
}

/// The blob of a file.
pub(super) fn key(id: &str) -> String {
    format!("files/{id}")
}

/// The file as clients see it.
pub(super) fn view(id: &str, file: File) -> FileView {
    let File { name, media_type, size, sha256, read, owner, created_at, .. } = file;
    FileView { id: id.to_owned(), name, media_type, size, sha256, read, owner, created_at }
}

/// As [`view`].
pub(super) fn stored_view(stored: Stored<File>) -> FileView {
    view(&stored.id, stored.value)
}
