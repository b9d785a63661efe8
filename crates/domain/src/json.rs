//! Reads JSON as it was sent: bounded in depth, and nothing in it altered or dropped.
//!
//! Numbers are kept as 64-bit integers and floats. A number is altered when it is none of these, and of
//! two members with the same name one would be dropped. Both are found by what is cheap: a look at the
//! longer numbers, and the number of colons.

use std::collections::HashSet;
use std::fmt;

use outrigger_kernel::{Error, Result, limits};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Every decimal number of so many digits is a float of its own.
const DIGITS_ALWAYS_KEPT: usize = 15;
/// No float has more digits than 767.
const DIGITS_MAX: usize = 800;

/// Reads JSON and says where it is malformed.
///
/// # Errors
/// `bad_request` with code `malformed_json` (line and column) or `json_too_deep`; `invalid` at the place
/// of a number that would be altered (`not_exact`) or a member that occurs twice (`repeated`).
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = Text::of(bytes);
    if text.depth > limits::JSON_DEPTH_MAX {
        return Err(Error::bad_request(
            "json_too_deep",
            format!("the JSON is nested deeper than {} levels", limits::JSON_DEPTH_MAX),
        ));
    }
    let value = serde_json::from_slice(bytes).map_err(|error| {
        Error::bad_request("malformed_json", format!("the body is not valid JSON: {error}"))
    })?;
    if text.altered.is_some() || text.members != members(&value) {
        return Err(first_fault(bytes, text.altered));
    }
    Ok(value)
}

/// What can be seen of JSON without reading it.
#[derive(Default)]
struct Text {
    /// The deepest nesting of brackets.
    depth: usize,
    /// Members of objects.
    members: usize,
    /// Which of the numbers is the first one that would be altered.
    altered: Option<usize>,
}

impl Text {
    /// Needs no memory. Of what is not JSON it says anything.
    fn of(bytes: &[u8]) -> Self {
        let (mut text, mut depth, mut numbers) = (Self::default(), 0_usize, 0);
        let (mut in_string, mut escaped, mut at) = (false, false, 0);
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => {
                    depth += 1;
                    text.depth = text.depth.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b':' => text.members += 1,
                b'-' | b'0'..=b'9' => {
                    let number = number_at(&bytes[at - 1..]);
                    if text.altered.is_none() && is_altered(number) {
                        text.altered = Some(numbers);
                    }
                    numbers += 1;
                    at += number.len() - 1;
                }
                _ => {}
            }
        }
        text
    }
}

/// The number with which these bytes begin.
fn number_at(bytes: &[u8]) -> &[u8] {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let length = bytes.iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len());
    &bytes[..length]
}

/// Whether a number comes back as another one. An integer does unless each of its digits comes back. A
/// fraction does not if the float that is kept has its digits, as many as it has itself: so 0.1 is kept,
/// and so is what programs print to show 17 digits of that float, 0.10000000000000001.
fn is_altered(number: &[u8]) -> bool {
    let has_exponent = || number.iter().any(|byte| matches!(byte, b'e' | b'E'));
    if number.len() <= DIGITS_ALWAYS_KEPT && !has_exponent() {
        return false;
    }
    let Ok(text) = std::str::from_utf8(number) else { return false };
    if text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok() {
        return false;
    }
    let Ok(float) = text.parse::<f64>() else { return false };
    let digits = digits(text);
    match digits.len() {
        0 => false,
        _ if !has_exponent() && !text.contains('.') => digits != mantissa(&format!("{float:e}")),
        1..=DIGITS_MAX => digits != mantissa(&format!("{float:.*e}", digits.len() - 1)),
        _ => true,
    }
}

/// The digits before an exponent.
fn mantissa(text: &str) -> String {
    let text = text.split(['e', 'E']).next().unwrap_or_default();
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The digits that matter: without zeros at the ends.
fn digits(text: &str) -> String {
    mantissa(text).trim_matches('0').to_owned()
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// Reads once more, to tell the place.
fn first_fault(bytes: &[u8], altered: Option<usize>) -> Error {
    let mut search = Search { place: Vec::new(), numbers: 0, altered, is_repeated: false };
    let _found = search.deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    let (code, message) = match search.is_repeated {
        true => ("repeated", "this member occurs more than once"),
        false => (
            "not_exact",
            "this number cannot be kept exactly, as it fits neither 64-bit integers nor floats; send it as text",
        ),
    };
    let place: Vec<&str> = search.place.iter().map(String::as_str).collect();
    Error::invalid(&place, code, message)
}

/// Goes through JSON until the first fault, and stays at its place.
struct Search {
    place: Vec<String>,
    numbers: usize,
    altered: Option<usize>,
    is_repeated: bool,
}

impl Search {
    fn number<E: de::Error>(&mut self) -> Result<(), E> {
        let is_fault = self.altered == Some(self.numbers);
        self.numbers += 1;
        if is_fault { Err(E::custom("found")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Search {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Search {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.number()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.number()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.number()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.place.push(String::new());
        for position in 0_usize.. {
            if let Some(last) = self.place.last_mut() {
                *last = position.to_string();
            }
            if items.next_element_seed(&mut *self)?.is_none() {
                break;
            }
        }
        self.place.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut known = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.place.push(name.clone());
            if !known.insert(name) {
                self.is_repeated = true;
                return Err(de::Error::custom("found"));
            }
            members.next_value_seed(&mut *self)?;
            self.place.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded_before_parsing() {
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        assert_eq!(parse(deep.as_bytes()).unwrap_err().code(), "json_too_deep");
        let flat = format!("{:?}", "[".repeat(100));
        assert!(parse(flat.as_bytes()).is_ok());
        assert_eq!(parse(b"{\"a\": }").unwrap_err().code(), "malformed_json");
    }

    #[test]
    fn numbers_are_kept_or_refused() {
        for kept in [
            "0",
            "-0",
            "0.0",
            "-0.0e5",
            "1.10",
            "100000000000000000000",
            "1e300",
            "5e-324",
            "1.7976931348623157e308",
            "18446744073709551615",
            "-9223372036854775808",
            "0.30000000000000004",
            "0.10000000000000001",
            "1.2345678901234568e+22",
            "9007199254740992.0",
            "1152921504606846976.0",
            "0.000000000000000000000000000001",
            "0.1000000000000000055511151231257827",
            "2.2250738585072014e-308",
        ] {
            assert!(!is_altered(kept.as_bytes()), "{kept}");
            assert!(parse(kept.as_bytes()).is_ok(), "{kept}");
        }
        let long = format!("0.{}1", "3".repeat(900));
        for altered in [
            "12345678901234567890123",
            "18446744073709551616",
            "-9223372036854775809",
            "1e-400",
            "9007199254740993.0",
            "0.12345678901234567890",
            "3.14159265358979323846",
            &long,
        ] {
            let error = parse(altered.as_bytes()).expect_err(altered);
            assert_eq!(error.fields()[0].code, "not_exact", "{altered}");
        }
    }

    #[test]
    fn what_would_be_altered_or_dropped_is_named_with_its_place() {
        for (text, place, code) in [
            ("12345678901234567890123", "", "not_exact"),
            (r#"{"a":{"b":[1,-2.5,"3",{"c":12345678901234567890123}]}}"#, "a.b.3.c", "not_exact"),
            ("[[1,2],[],[3,0.12345678901234567890]]", "2.1", "not_exact"),
            (r#"{"a":1,"b":2,"a":1}"#, "a", "repeated"),
            (r#"{"a":{"x:y":"\":","b":[{},{"n":1,"\u006e":2}]}}"#, "a.b.1.n", "repeated"),
            (r#"{"a":{"b":1},"c":12345678901234567890123,"a":2}"#, "c", "not_exact"),
        ] {
            let error = parse(text.as_bytes()).expect_err(text);
            let fault = &error.fields()[0];
            assert_eq!(
                (fault.loc.join(".").as_str(), fault.code.as_ref()),
                (place, code),
                "{text}"
            );
        }
        let colons = r#"{"a:b":":","c":[":",{"d\":":{}}]}"#;
        assert!(parse(colons.as_bytes()).is_ok());
    }
}
