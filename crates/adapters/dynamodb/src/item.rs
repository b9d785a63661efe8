//! Documents and entries as items.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use outrigger_kernel::{Random, Timestamp};
use outrigger_ports::store::{Cause, Document, Entry, Key, Scanned, StoreError};

use crate::key::{self, ItemKey};

/// The attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Partitions of the index of what expires.
pub(crate) const SHARDS: u8 = 4;
/// How long after its expiry DynamoDB may delete a document by itself, in seconds: clocks differ.
const GRACE_S: i64 = 3_600;
/// The same for a document with entries, which this store deletes with them; what is left to
/// DynamoDB leaves entries behind that lead nowhere.
const GRACE_WITH_ENTRIES_S: i64 = 7 * 86_400;

/// What one write of an item is known by; no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp([u8; 16]);

impl Stamp {
    /// A new one.
    pub(crate) fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn attribute(self) -> AttributeValue {
        AttributeValue::B(Blob::new(self.0))
    }

    /// Of an item that was read.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        Some(Self(item.get("t")?.as_b().ok()?.as_ref().try_into().ok()?))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An entry of a document, and the write that made its item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) entry: Entry,
    pub(crate) stamp: Stamp,
}

/// A document as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) version: u64,
    /// Empty when it was not asked for.
    pub(crate) body: Bytes,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) entries: Vec<Listed>,
    pub(crate) stamp: Stamp,
}

/// What the item of a document is read with when its body is not wanted.
pub(crate) const WITHOUT_BODY: &str = "pk, sk, v, x, e, t, id";

impl Stored {
    /// Reads the item.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when it is not as this store writes it.
    pub(crate) fn of(mut item: Item) -> Result<Self, StoreError> {
        let stamp = Stamp::of(&item).ok_or_else(|| broken("t"))?;
        let version = number(&item, "v").ok_or_else(|| broken("v"))?;
        let entries = match item.get("e") {
            Some(packed) => unpack(packed.as_b().map_err(|_| broken("e"))?.as_ref()),
            None => Some(Vec::new()),
        };
        let body = match item.remove("b") {
            Some(AttributeValue::B(body)) => Bytes::from(body.into_inner()),
            _ => Bytes::new(),
        };
        Ok(Self {
            version: version.cast_unsigned(),
            body,
            expires_at: number(&item, "x").map(Timestamp::from_micros),
            entries: entries.ok_or_else(|| broken("e"))?,
            stamp,
        })
    }

    /// As an item.
    pub(crate) fn item(&self, key: &Key) -> Item {
        let mut item = ItemKey::document(key).attributes();
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set("v", AttributeValue::N(self.version.to_string()));
        set("b", AttributeValue::B(Blob::new(self.body.to_vec())));
        set("t", self.stamp.attribute());
        if let Some(at) = self.expires_at {
            set("x", AttributeValue::N(at.as_micros().to_string()));
            let grace = if self.entries.is_empty() { GRACE_S } else { GRACE_WITH_ENTRIES_S };
            let seconds = at.as_micros().div_euclid(1_000_000).saturating_add(grace);
            set("ttl", AttributeValue::N(seconds.to_string()));
        }
        if !self.entries.is_empty() {
            set("e", packed(&self.entries));
            if self.expires_at.is_some() {
                set("xp", shard(&key.id));
            }
        }
        item
    }

    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// As the port gives it.
    pub(crate) fn document(self, key: Key) -> Document {
        let Self { version, body, expires_at, .. } = self;
        Document { key, version, body, expires_at }
    }

    /// As a scan gives it.
    pub(crate) fn scanned(mut self, key: Key) -> Scanned {
        let entries = std::mem::take(&mut self.entries);
        Scanned::new(self.document(key), entries.into_iter().map(|listed| listed.entry).collect())
    }

    /// Its entry in an index of that kind.
    pub(crate) fn entry(&self, index: &str, unique: bool) -> Option<&Listed> {
        self.entries.iter().find(|it| it.entry.index == index && it.entry.unique == unique)
    }

    /// The same entry, if it has it.
    pub(crate) fn lists(&self, entry: &Entry) -> Option<&Listed> {
        self.entries.iter().find(|listed| listed.entry == *entry)
    }
}

/// The item of an entry.
pub(crate) fn of_entry(key: &Key, listed: &Listed, now: Timestamp) -> Item {
    let mut item = ItemKey::entry(key, &listed.entry).attributes();
    item.insert("t".to_owned(), listed.stamp.attribute());
    item.insert("w".to_owned(), AttributeValue::N(now.as_micros().to_string()));
    if listed.entry.unique {
        item.insert("id".to_owned(), AttributeValue::S(key.id.clone()));
    }
    item
}

/// A partition of the index of what expires.
pub(crate) fn shard_name(shard: u8) -> AttributeValue {
    AttributeValue::S(shard.to_string())
}

fn shard(id: &str) -> AttributeValue {
    let sum = id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    shard_name(sum % SHARDS)
}

/// The number in this attribute.
pub(crate) fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// An item that is not as this store writes it.
pub(crate) fn broken(attribute: &str) -> StoreError {
    StoreError::Internal(Cause::from(format!("an item has no sound attribute {attribute}")))
}

/// The attribute that lists a document's entries: for each its kind, name, value and stamp.
pub(crate) fn packed(entries: &[Listed]) -> AttributeValue {
    let mut out = Vec::new();
    let mut text = |kind: Option<u8>, bytes: &[u8]| {
        out.extend(kind);
        out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    for Listed { entry, stamp } in entries {
        text(Some(u8::from(entry.unique)), entry.index.as_bytes());
        text(None, &entry.value);
        text(None, &stamp.0);
    }
    AttributeValue::B(Blob::new(out))
}

fn unpack(mut bytes: &[u8]) -> Option<Vec<Listed>> {
    let mut entries = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        bytes = rest;
        let mut text = || {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            bytes = rest;
            Some(text)
        };
        let index = std::str::from_utf8(text()?).ok()?.to_owned();
        let value = text()?.to_vec();
        let stamp = Stamp(text()?.try_into().ok()?);
        entries.push(Listed { entry: Entry { index, value, unique: *kind == 1 }, stamp });
    }
    Some(entries)
}

/// The id of the document that an entry leads to, and the entry's value.
pub(crate) fn place(item: &Item, unique: bool) -> Option<(Vec<u8>, String)> {
    let sk = item.get("sk")?.as_b().ok()?;
    let (value, rest) = key::decoded(sk.as_ref())?;
    let id = match unique {
        true => item.get("id")?.as_s().ok()?.clone(),
        false => std::str::from_utf8(rest).ok()?.to_owned(),
    };
    Some((value, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(index: &str, value: &[u8], unique: bool) -> Listed {
        let entry = Entry { index: index.to_owned(), value: value.to_vec(), unique };
        Listed { entry, stamp: Stamp([7; 16]) }
    }

    #[test]
    fn a_document_is_read_back_as_it_was_written() {
        let stored = Stored {
            version: 3,
            body: Bytes::from_static(b"{\"a\":1}"),
            expires_at: Some(Timestamp::from_micros(1_800_000_000_123_456)),
            entries: vec![listed("name", b"\0x", true), listed("", b"", false)],
            stamp: Stamp([9; 16]),
        };
        let key = Key::new("rec.a", "i");
        let item = stored.item(&key);
        assert_eq!(ItemKey::of(&item), Some(ItemKey::document(&key)));
        assert_eq!(number(&item, "ttl"), Some(1_800_000_000 + GRACE_WITH_ENTRIES_S));
        assert_eq!(Stored::of(item).unwrap(), stored);
    }

    #[test]
    fn a_cut_list_of_entries_is_no_list() {
        let AttributeValue::B(whole) = packed(&[listed("name", b"value", false)]) else { panic!() };
        for length in 1..whole.as_ref().len() {
            assert_eq!(unpack(&whole.as_ref()[..length]), None, "{length}");
        }
    }
}
