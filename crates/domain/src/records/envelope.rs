//! A record as bytes: in the store, in the cache, and on the wire.
//!
//! The store keeps `{"created_at":…,"updated_at":…,"created_by":…,"data":{…}}`. On the wire the
//! id, the collection and the version stand before that, so a record is sent by joining two pieces
//! of text; its data is not parsed again. The cache keeps the text for the wire behind a short
//! binary head with what the rules need.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use outrigger_kernel::{Error, Result, Timestamp};
use outrigger_ports::store::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::etag::ETag;

/// The stored text, as it is written.
#[derive(Serialize)]
struct Body<'a> {
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<&'a str>,
    data: &'a Value,
}

/// The stored text, as it is read; the data stays text.
#[derive(Deserialize)]
struct Stored<'a> {
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(borrow)]
    created_by: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What is known of a stored record besides its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<String>,
}

impl Head {
    pub(crate) fn etag(&self) -> ETag {
        ETag { version: self.version, updated_at: self.updated_at }
    }
}

/// The text for the store.
pub(crate) fn body(
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<&str>,
    data: &Value,
) -> Result<Bytes> {
    serde_json::to_vec(&Body { created_at, updated_at, created_by, data })
        .map(Bytes::from)
        .map_err(Error::internal)
}

/// The text for the wire.
pub(crate) fn render(collection: &str, id: &str, version: u64, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + collection.len() + id.len() + 56);
    render_into(&mut out, collection, id, version, body);
    out.freeze()
}

/// Appends the text for the wire. Ids and names need no escaping: their alphabet has nothing that
/// JSON escapes.
fn render_into(out: &mut BytesMut, collection: &str, id: &str, version: u64, body: &[u8]) {
    out.put_slice(b"{\"id\":\"");
    out.put_slice(id.as_bytes());
    out.put_slice(b"\",\"collection\":\"");
    out.put_slice(collection.as_bytes());
    out.put_slice(b"\",\"version\":");
    out.put_slice(version.to_string().as_bytes());
    out.put_slice(b",");
    out.put_slice(body.get(1..).unwrap_or_default());
}

/// Reads a stored record's head.
pub(crate) fn head(document: &Document) -> Result<Head> {
    let stored: Stored<'_> = serde_json::from_slice(&document.body).map_err(Error::internal)?;
    Ok(Head {
        version: document.version,
        created_at: stored.created_at,
        updated_at: stored.updated_at,
        created_by: stored.created_by.map(Cow::into_owned),
    })
}

/// Reads a stored record's data.
pub(crate) fn data(document: &Document) -> Result<Value> {
    let stored: Stored<'_> = serde_json::from_slice(&document.body).map_err(Error::internal)?;
    serde_json::from_str(stored.data.get()).map_err(Error::internal)
}

/// A record as the cache keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed(Bytes);

/// version, updated_at, length of the owner's id
const FIXED: usize = 8 + 8 + 1;
/// No owner; ids are shorter.
const NOBODY: u8 = u8::MAX;

impl Packed {
    /// Packs a stored record.
    pub(crate) fn pack(collection: &str, document: &Document) -> Result<Self> {
        let head = head(document)?;
        let owner = head.created_by.as_deref().unwrap_or_default().as_bytes();
        let mut out = BytesMut::with_capacity(document.body.len() + 192);
        out.put_u64(head.version);
        out.put_i64(head.updated_at.as_micros());
        out.put_u8(match &head.created_by {
            Some(_) => u8::try_from(owner.len()).ok().filter(|n| *n != NOBODY).unwrap_or(NOBODY),
            None => NOBODY,
        });
        out.put_slice(owner);
        render_into(&mut out, collection, &document.key.id, head.version, &document.body);
        Ok(Self(out.freeze()))
    }

    /// Takes what the cache gave; `None` when it is not of this form.
    pub(crate) fn from_cache(bytes: Bytes) -> Option<Self> {
        let packed = Self(bytes);
        (packed.0.len() >= FIXED && packed.0.len() >= packed.json_start()).then_some(packed)
    }

    /// The bytes for the cache.
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    fn number(&self, at: usize) -> u64 {
        self.0[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn owner_len(&self) -> usize {
        match self.0[FIXED - 1] {
            NOBODY => 0,
            length => usize::from(length),
        }
    }

    fn json_start(&self) -> usize {
        FIXED + self.owner_len()
    }

    pub(crate) fn etag(&self) -> ETag {
        let updated_at = Timestamp::from_micros(self.number(8).cast_signed());
        ETag { version: self.number(0), updated_at }
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        (self.0[FIXED - 1] != NOBODY)
            .then(|| std::str::from_utf8(&self.0[FIXED..self.json_start()]).ok())
            .flatten()
    }

    /// The text for the wire; shares the cache's memory.
    pub(crate) fn json(&self) -> Bytes {
        self.0.slice(self.json_start()..)
    }
}
