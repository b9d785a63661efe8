//! A document as it stands in MongoDB.
//!
//! | field | |
//! |---|---|
//! | `_id` | collection and id |
//! | `v` | version |
//! | `x` | when it expires, in microseconds; the greatest number if it does not |
//! | `t` | the same as a date, by which MongoDB deletes; only if it expires |
//! | `b` | body |
//! | `p` | its place in each index, plain or unique; only if it has entries |
//! | `u` | its unique values; only if it has some |
//! | `l` | how often a batch has depended on it without changing it |

use std::collections::HashMap;

use bytes::Bytes;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document as Bsons, doc};
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Entry, Key, StoreError};
use serde::Deserialize;

use crate::key;

/// The expiry of what does not expire.
const NEVER: i64 = i64::MAX;

/// As it is read; what was not asked for is empty.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stored {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "v", default)]
    version: i64,
    #[serde(rename = "x", default)]
    expires_at: i64,
    #[serde(rename = "b", default)]
    body: Option<Binary>,
    #[serde(rename = "p", default)]
    pub(crate) places: HashMap<String, String>,
    #[serde(rename = "u", default)]
    pub(crate) claims: Vec<String>,
}

impl Stored {
    /// Whether it has not expired.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at > now.as_micros()
    }

    /// Its version; 1 when created.
    pub(crate) fn version(&self) -> u64 {
        u64::try_from(self.version).unwrap_or_default()
    }

    /// Its entries, of which all places were asked for.
    ///
    /// # Errors
    /// As [`Stored::document`].
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let entry = |(field, place): (&String, &String)| {
            let (index, unique) = key::index(field)?;
            Some(Entry { index, value: key::position(place)?.value, unique })
        };
        self.places.iter().map(entry).collect::<Option<_>>().ok_or_else(|| broken("p"))
    }

    /// The document, of which the body was asked for.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when it is not as this store writes it.
    pub(crate) fn document(self) -> Result<Document, StoreError> {
        let key = key::parse(&self.id).ok_or_else(|| broken("_id"))?;
        let version = self.version();
        let body = Bytes::from(self.body.ok_or_else(|| broken("b"))?.bytes);
        let expires = self.expires_at != NEVER;
        let expires_at = expires.then(|| Timestamp::from_micros(self.expires_at));
        Ok(Document { key, version, body, expires_at })
    }
}

/// A field that is not as this store writes it.
pub(crate) fn broken(field: &str) -> StoreError {
    StoreError::Internal(format!("a document has no {field}").into())
}

/// What is read of documents that are given out.
pub(crate) fn whole() -> Bsons {
    doc! { "v": 1, "x": 1, "b": 1 }
}

/// What a write depends on.
pub(crate) fn without_body() -> Bsons {
    doc! { "v": 1, "x": 1, "u": 1 }
}

/// Fields that a document gets, and those that it loses.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) set: Bsons,
    unset: Bsons,
}

impl Change {
    /// Body and expiry.
    #[must_use]
    pub(crate) fn put(mut self, body: &Bytes, expires_at: Option<Timestamp>) -> Self {
        let bytes = Binary { subtype: BinarySubtype::Generic, bytes: body.to_vec() };
        self.set.insert("b", bytes);
        self.set.insert("x", expires_at.map_or(NEVER, Timestamp::as_micros));
        // Not before it: a date has milliseconds only.
        let date = |at: Timestamp| at.as_micros().saturating_add(999).div_euclid(1_000);
        self.field("t", expires_at.map(|at| DateTime::from_millis(date(at)).into()));
        self
    }

    /// All its entries.
    #[must_use]
    pub(crate) fn entries(mut self, key: &Key, entries: &[Entry]) -> Self {
        let place = |entry: &Entry| {
            let field = key::field(&key.collection, &entry.index, entry.unique);
            (field, Bson::from(key::place(&entry.value, &key.id)))
        };
        let places: Bsons = entries.iter().map(place).collect();
        let claims = claims(key, entries);
        self.field("p", (!places.is_empty()).then(|| places.into()));
        // Two empty lists would be the same unique value.
        self.field("u", (!claims.is_empty()).then(|| claims.into()));
        self
    }

    fn field(&mut self, name: &str, value: Option<Bson>) {
        match value {
            Some(value) => self.set.insert(name, value),
            None => self.unset.insert(name, ""),
        };
    }

    /// A version, whatever it was before.
    #[must_use]
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.set.insert("v", i64::try_from(version).unwrap_or(i64::MAX));
        self
    }

    /// As an update of a document, which counts up its version or not.
    pub(crate) fn update(self, counts: bool) -> Bsons {
        let mut update = Bsons::new();
        if counts {
            update.insert("$inc", doc! { "v": 1_i64 });
        }
        for (operator, fields) in [("$set", self.set), ("$unset", self.unset)] {
            if !fields.is_empty() {
                update.insert(operator, fields);
            }
        }
        update
    }

    /// As a whole document.
    pub(crate) fn document(self, key: &Key, version: u64) -> Bsons {
        let mut document = doc! { "_id": key::id(key) };
        document.extend(self.version(version).set);
        document
    }
}

/// The unique values among the entries.
pub(crate) fn claims(key: &Key, entries: &[Entry]) -> Vec<String> {
    let uniques = entries.iter().filter(|entry| entry.unique);
    uniques.map(|entry| key::claim(&key.collection, entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_never_deletes_before_the_expiry() {
        for (micros, millis) in [(1_000, 1), (1_001, 2), (1_999, 2), (2_000, 2), (-1, 0)] {
            let at = Some(Timestamp::from_micros(micros));
            let change = Change::default().put(&Bytes::new(), at);
            assert_eq!(change.set.get_datetime("t").unwrap().timestamp_millis(), millis);
            assert_eq!(change.set.get_i64("x").unwrap(), micros);
        }
        let never = Change::default().put(&Bytes::new(), None);
        assert!(never.set.get("t").is_none() && never.update(true).get_document("$unset").is_ok());
    }
}
