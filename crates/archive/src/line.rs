//! The lines of an archive: JSON objects, UTF-8, one a line.
//!
//! ```text
//! {"outrigger_archive":1,"version":"0.1.0","source":"sqlite","database":"5f…","started_at":"…","left_out":["sys.leases",…]}
//! {"collection":"rec.notes","id":"a","version":3,"entries":[{"index":"title","value":"…"}],"body":{…}}
//! …
//! {"documents":1,"sha256":"…"}
//! ```
//!
//! The first is the header, the last the trailer; between them stands each document, ordered by
//! collection, then id, bytewise. A document's line follows from the document alone, so two stores with
//! the same documents have the same lines. `value` is base64 of the encoded index value. A body stands
//! there as it is kept, byte for byte; one that cannot stand in a line, in base64 as `body_base64`.
//! `sha256` is that of all document lines with their ends.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Entry, Key, Scanned};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The format that this binary writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// Where an archive comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format's number.
    pub outrigger_archive: u32,
    /// The version of Outrigger that wrote it, and so what the bodies mean.
    pub version: String,
    /// The kind of the database.
    pub source: String,
    /// Which one it was: a digest of what names it, without keys. Older binaries have not said it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub database: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// Collections that are not in it.
    pub left_out: Vec<String>,
}

/// How an archive ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// How many documents there are.
    pub documents: u64,
    /// The checksum of their lines.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    collection: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entries: Vec<EntryLine<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine<'a> {
    #[serde(borrow)]
    index: Cow<'a, str>,
    value: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unique: bool,
}

/// The line of a document, without its end.
pub fn of_document(scanned: &Scanned) -> Vec<u8> {
    let Scanned { document, entries } = scanned;
    let text = std::str::from_utf8(&document.body).ok().filter(|text| !text.contains('\n'));
    // What JSON allows around a value is not part of it, and would be lost.
    let raw = text.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let body = raw.filter(|raw| raw.get().len() == document.body.len());
    let entry = |entry: &'_ Entry| EntryLine {
        index: Cow::Owned(entry.index.clone()),
        value: STANDARD.encode(&entry.value),
        unique: entry.unique,
    };
    to_json(&Line {
        collection: Cow::Borrowed(&document.key.collection),
        id: Cow::Borrowed(&document.key.id),
        version: document.version,
        expires_at: document.expires_at,
        entries: entries.iter().map(entry).collect(),
        body,
        body_base64: body.is_none().then(|| STANDARD.encode(&document.body)),
    })
}

/// The line of a header or trailer, without its end.
pub fn to_json(line: &impl Serialize) -> Vec<u8> {
    // Nothing of it can fail: no map has keys that are no text, and no number is not finite.
    serde_json::to_vec(line).unwrap_or_default()
}

/// Whether the line is not that of a document.
pub fn is_trailer(line: &[u8]) -> bool {
    line.starts_with(br#"{"documents":"#)
}

/// What a document's line says.
///
/// # Errors
/// Says in words what is wrong with it.
pub fn document(line: &[u8]) -> Result<Scanned, String> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let decoded = |text: &str| STANDARD.decode(text).map_err(|error| error.to_string());
    let body = match (line.body, line.body_base64) {
        (Some(body), None) => Bytes::copy_from_slice(body.get().as_bytes()),
        (None, Some(text)) => Bytes::from(decoded(&text)?),
        _ => return Err("it has no body, or two".to_owned()),
    };
    let entry = |entry: EntryLine<'_>| {
        let value = decoded(&entry.value)?;
        Ok(Entry { index: entry.index.into_owned(), value, unique: entry.unique })
    };
    let entries = line.entries.into_iter().map(entry).collect::<Result<_, String>>()?;
    let key = Key::new(line.collection, line.id);
    let document = Document { key, version: line.version, body, expires_at: line.expires_at };
    Ok(Scanned::new(document, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(body: &[u8]) -> Scanned {
        let entry =
            |index: &str, unique| Entry { index: index.to_owned(), value: vec![0, 255], unique };
        let document = Document {
            key: Key::new("rec.a", "i"),
            version: 3,
            body: Bytes::copy_from_slice(body),
            expires_at: Some(Timestamp::from_micros(1_800_000_000_123_456)),
        };
        Scanned::new(document, vec![entry("é\"", true), entry("a", false)])
    }

    #[test]
    fn a_document_is_read_back_byte_for_byte() {
        let bodies: [&[u8]; 8] = [
            b"{}",
            br#"{"a": 1.0,  "b":[1e400,"\u00e9\n"]}"#,
            b"{\n}",
            b" {}",
            b"{} ",
            b"",
            b"\xff\x00",
            b"no json",
        ];
        for body in bodies {
            let line = of_document(&scanned(body));
            assert!(!line.contains(&b'\n'));
            assert_eq!(document(&line).as_ref(), Ok(&scanned(body)), "{body:?}");
        }
        let plain = of_document(&scanned(b"{\"a\": 1}"));
        assert!(plain.ends_with(br#""body":{"a": 1}}"#), "{}", String::from_utf8_lossy(&plain));
    }

    #[test]
    fn a_line_that_is_none_is_refused() {
        for line in [
            "",
            "{}",
            r#"{"collection":"a","id":"b","version":1}"#,
            r#"{"collection":"a","id":"b","version":1,"body":1,"body_base64":""}"#,
            r#"{"collection":"a","id":"b","version":1,"body":1,"more":2}"#,
            r#"{"collection":"a","id":"b","version":1,"body_base64":"?"}"#,
        ] {
            assert!(document(line.as_bytes()).is_err(), "{line}");
        }
    }
}
