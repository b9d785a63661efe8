//! Names and values as strings whose order, byte by byte, is the order that the port asks for.
//!
//! MongoDB orders binary values by their length first, so everything that is looked up in an order is
//! a string. A byte of an index value becomes the character two above it; below these stand the mark
//! that ends a value and what is less than any value.

use std::fmt::Write;

use outrigger_ports::store::bounds::Names;
use outrigger_ports::store::{Entry, Key, Position};

/// Between collection and id; less than all that may be in the name of a collection.
pub(crate) const SEPARATOR: char = ' ';
/// A space ends the name of a collection, and nothing in one may be less.
pub(crate) const NAMES: Names = Names { ends: |char| char <= SEPARATOR, called: "spaces" };
/// Ends a value; less than all that may be in one.
pub(crate) const END: char = '\u{1}';
/// The character of the least byte of a value.
const FIRST: u32 = 2;

/// The `_id` of a document.
pub(crate) fn id(key: &Key) -> String {
    format!("{}{SEPARATOR}{}", key.collection, key.id)
}

/// The document with this `_id`.
pub(crate) fn parse(id: &str) -> Option<Key> {
    let (collection, id) = id.split_once(SEPARATOR)?;
    Some(Key::new(collection, id))
}

/// The bytes as characters, in the same order.
pub(crate) fn value(bytes: &[u8]) -> String {
    bytes.iter().filter_map(|byte| char::from_u32(u32::from(*byte) + FIRST)).collect()
}

/// The bytes of these characters.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let byte = |char| u32::from(char).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok());
    text.chars().map(byte).collect()
}

/// Where a document stands in an index.
pub(crate) fn place(value: &[u8], id: &str) -> String {
    format!("{}{END}{id}", self::value(value))
}

/// The same, read back.
pub(crate) fn position(place: &str) -> Option<Position> {
    let (value, id) = place.split_once(END)?;
    Some(Position { value: bytes(value)?, id: id.to_owned() })
}

/// The name of the field that has the places of documents in an index.
pub(crate) fn field(collection: &str, index: &str, unique: bool) -> String {
    let kind = if unique { 'u' } else { 'i' };
    format!("{}/{kind}/{}", escaped(collection), escaped(index))
}

/// The index whose places are in this field, and whether it is a unique one.
pub(crate) fn index(field: &str) -> Option<(String, bool)> {
    let mut parts = field.split('/').skip(1);
    let unique = parts.next()? == "u";
    let escaped = parts.next()?.as_bytes();
    let (mut bytes, mut at) = (Vec::with_capacity(escaped.len()), 0);
    while let Some(byte) = escaped.get(at) {
        if *byte == b'%' {
            let digits = std::str::from_utf8(escaped.get(at + 1..at + 3)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            bytes.push(*byte);
            at += 1;
        }
    }
    Some((String::from_utf8(bytes).ok()?, unique))
}

/// A unique value, by which no two documents can be known.
pub(crate) fn claim(collection: &str, entry: &Entry) -> String {
    format!("{}/{}/{}", escaped(collection), escaped(&entry.index), value(&entry.value))
}

/// Without dots, dollars and slashes, which mean something in the name of a field.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(id(&Key::new("rec.boats", "a")), "rec.boats a");
        assert_eq!(parse("rec.boats a"), Some(Key::new("rec.boats", "a")));
        assert_eq!(field("rec.boats", "of.$x", false), "rec%2Eboats/i/of%2E%24x");
        assert_eq!(index("rec%2Eboats/i/of%2E%24x"), Some(("of.$x".to_owned(), false)));
        assert_eq!(index(&field("a", "größe/%", true)), Some(("größe/%".to_owned(), true)));
        assert_ne!(field("a/i", "b", true), field("a", "i/b", true));
    }

    proptest! {
        #[test]
        fn places_are_in_the_order_of_values_then_ids(
            a in proptest::collection::vec(any::<u8>(), 0..6), x in "[a-c]{1,3}",
            b in proptest::collection::vec(any::<u8>(), 0..6), y in "[a-c]{1,3}",
        ) {
            let (one, other) = (place(&a, &x), place(&b, &y));
            prop_assert_eq!(one.as_bytes().cmp(other.as_bytes()), (&a, &x).cmp(&(&b, &y)));
            prop_assert_eq!(position(&one), Some(Position { value: a, id: x }));
        }

        #[test]
        fn ids_are_in_the_order_of_keys(
            a in "[a-c._-]{1,3}", x in "[a-c._-]{1,3}", b in "[a-c._-]{1,3}", y in "[a-c._-]{1,3}",
        ) {
            let (one, other) = (Key::new(a, x), Key::new(b, y));
            prop_assert_eq!(id(&one).as_bytes().cmp(id(&other).as_bytes()), one.cmp(&other));
        }
    }
}
