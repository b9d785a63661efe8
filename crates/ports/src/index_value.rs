//! The encoding of index values: byte order is value order.
//!
//! Null < false < true < numbers < times < strings. Integers and floats are one kind, compared by
//! value without loss. Every encoding ends itself, so that a compound index is the concatenation
//! of its parts, and each starts with a tag below `0xFF`, so that `prefix ++ [0xFF]` is after all
//! that starts with `prefix`.

use outrigger_kernel::Timestamp;
use std::ops::Bound;

const NULL: u8 = 0x10;
const FALSE: u8 = 0x20;
const TRUE: u8 = 0x21;
const NUMBER: u8 = 0x30;
const TIME: u8 = 0x40;
const STRING: u8 = 0x50;

/// A range of encoded values.
pub type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Appends null.
pub fn null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// Appends a boolean.
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { TRUE } else { FALSE });
}

/// Appends an integer between `i64::MIN` and `u64::MAX`.
///
/// The nearest float comes first, then how far the integer lies from it: rounding is monotone, so
/// the pair orders as the integers do, and equals the encoding of a float of the same value.
#[expect(clippy::cast_precision_loss, reason = "what is lost is stored beside it")]
#[expect(clippy::cast_possible_truncation, reason = "a float near an i128 this small is one")]
pub fn integer(out: &mut Vec<u8>, value: i128) {
    let nearest = value as f64;
    let rest = value - nearest as i128;
    number(out, nearest, i16::try_from(rest).unwrap_or(0));
}

/// Appends a finite float.
pub fn float(out: &mut Vec<u8>, value: f64) {
    number(out, value, 0);
}

fn number(out: &mut Vec<u8>, value: f64, rest: i16) {
    let value = if value == 0.0 { 0.0 } else { value };
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    out.push(NUMBER);
    out.extend_from_slice(&ordered.to_be_bytes());
    out.extend_from_slice(&(rest.cast_unsigned() ^ 0x8000).to_be_bytes());
}

/// Appends an instant.
pub fn time(out: &mut Vec<u8>, value: Timestamp) {
    out.push(TIME);
    out.extend_from_slice(&(value.as_micros().cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

/// Appends a string: NUL is escaped as `00 FF`, the end is `00 01`.
pub fn string(out: &mut Vec<u8>, value: &str) {
    string_prefix(out, value);
    out.extend_from_slice(&[0, 1]);
}

/// Appends the start of a string, which is a prefix of the encodings of all that begin so.
pub fn string_prefix(out: &mut Vec<u8>, value: &str) {
    out.push(STRING);
    for byte in value.bytes() {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
}

/// One string, encoded.
pub fn of_str(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 3);
    string(&mut out, value);
    out
}

/// One instant, encoded.
pub fn of_time(value: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(9);
    time(&mut out, value);
    out
}

/// Everything that starts with `prefix`.
pub fn starting_with(prefix: Vec<u8>) -> Range {
    let mut end = prefix.clone();
    end.push(0xFF);
    (Bound::Included(prefix), Bound::Excluded(end))
}

/// Exactly this value.
pub fn exactly(value: Vec<u8>) -> Range {
    (Bound::Included(value.clone()), Bound::Included(value))
}

/// No restriction.
pub fn all() -> Range {
    (Bound::Unbounded, Bound::Unbounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn kinds_are_ordered_and_zero_has_one_form() {
        let ladder = [
            encoded(null),
            encoded(|o| boolean(o, false)),
            encoded(|o| boolean(o, true)),
            encoded(|o| float(o, f64::MIN)),
            encoded(|o| integer(o, i128::from(i64::MIN))),
            encoded(|o| float(o, -0.5)),
            encoded(|o| integer(o, 0)),
            encoded(|o| float(o, f64::MIN_POSITIVE)),
            encoded(|o| integer(o, 1)),
            encoded(|o| integer(o, i128::from(u64::MAX) - 1)),
            encoded(|o| integer(o, i128::from(u64::MAX))),
            encoded(|o| float(o, f64::MAX)),
            of_time(Timestamp::from_micros(-1)),
            of_time(Timestamp::from_micros(1)),
            of_str(""),
            of_str("\0"),
            of_str("\0\0"),
            of_str("\u{1}"),
            of_str("a"),
            of_str("a\0b"),
            of_str("ab"),
            of_str("é"),
            of_str("\u{10FFFF}"),
        ];
        assert!(ladder.is_sorted_by(|a, b| a < b), "{ladder:?}");
        assert_eq!(encoded(|o| float(o, -0.0)), encoded(|o| integer(o, 0)));
    }

    proptest! {
        #[test]
        fn integers_keep_order(a in any::<i64>(), b in any::<i64>()) {
            let (ea, eb) = (encoded(|o| integer(o, a.into())), encoded(|o| integer(o, b.into())));
            prop_assert_eq!(a.cmp(&b), ea.cmp(&eb));
        }

        #[test]
        fn neighbours_beyond_the_precision_of_floats_keep_order(a in any::<i64>(), by in 1..2000_i64) {
            let b = a.saturating_add(by);
            let (ea, eb) = (encoded(|o| integer(o, a.into())), encoded(|o| integer(o, b.into())));
            prop_assert_eq!(a.cmp(&b), ea.cmp(&eb));
        }

        #[test]
        fn floats_keep_order(a in -1e300..1e300_f64, b in -1e300..1e300_f64) {
            let (ea, eb) = (encoded(|o| float(o, a)), encoded(|o| float(o, b)));
            prop_assert_eq!(a.partial_cmp(&b), Some(ea.cmp(&eb)));
        }

        #[test]
        fn strings_keep_order(a in any::<String>(), b in any::<String>()) {
            prop_assert_eq!(a.as_bytes().cmp(b.as_bytes()), of_str(&a).cmp(&of_str(&b)));
        }

        #[test]
        fn compounds_order_by_the_first_part_first(a in "[\\x00a-b]{0,3}", b in "[\\x00a-b]{0,3}", x in any::<i64>(), y in any::<i64>()) {
            let pair = |s: &str, n: i64| encoded(|o| { string(o, s); integer(o, n.into()); });
            prop_assert_eq!((a.as_str(), x).cmp(&(b.as_str(), y)), pair(&a, x).cmp(&pair(&b, y)));
        }
    }
}
