//! Values in the cells of a CSV.

use outrigger_kernel::{ErrorKind, Result};
use serde_json::Value;

use crate::records::typed;

/// Appends a row.
pub(super) fn row<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (position, cell) in cells.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if cell.bytes().any(|b| b"\",\r\n".contains(&b)) || cell != cell.trim() {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A value as a cell: nothing for null, text as it is, all else as JSON.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value of a cell that is not empty. With a type in the schema of the field, the text is read as
/// that; without, what is JSON but no string is taken as such, and all else is text.
///
/// # Errors
/// `invalid` when the text is not of the type.
pub(super) fn value(schema: Option<&Value>, name: &str, text: &str) -> Result<Value> {
    let types = schema.and_then(|schema| schema.get("type"));
    let is_text = types.is_some_and(|types| match types {
        Value::Array(several) => several.iter().any(|one| one == "string"),
        one => one == "string",
    });
    if !is_text {
        match crate::json::parse(text.as_bytes()) {
            Ok(value) if value.is_array() || value.is_object() => return Ok(value),
            // Such as a number that would be altered.
            Err(error) if error.kind() == ErrorKind::Invalid && types.is_some() => {
                return Err(error.within(&["data", name]));
            }
            Err(_) if types.is_none() => return Ok(Value::from(text)),
            _ => {}
        }
    }
    typed::value(schema, name, text).map_err(|error| error.relocated(&["data"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        row(&mut out, ["a", "b,c", "say \"hi\"", "two\nlines", " x", ""].into_iter());
        let expected = "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",\" x\",\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn values_come_back_as_they_were() {
        for (schema, given) in [
            (json!({}), json!(5)),
            (json!({}), json!("five")),
            (json!({}), json!({"a": [1]})),
            (json!({"type": "string"}), json!("5")),
            (json!({"type": "string"}), json!("{\"a\": 1}")),
            (json!({"type": ["number", "null"]}), json!(2.5)),
            (json!({"type": "array"}), json!([1, "b"])),
            (json!({"type": "boolean"}), json!(true)),
        ] {
            assert_eq!(value(Some(&schema), "n", &cell(&given)).unwrap(), given, "{schema}");
        }
        let long = "12345678901234567890123";
        assert_eq!(value(None, "n", long).unwrap(), long, "as text, for it is no number of ours");
        let error = value(Some(&json!({"type": "number"})), "n", long).unwrap_err();
        assert_eq!(
            (error.fields()[0].loc[1].as_str(), &*error.fields()[0].code),
            ("n", "not_exact")
        );
        let error = value(Some(&json!({"type": "integer"})), "n", "many").unwrap_err();
        assert_eq!(error.fields()[0].loc, ["data", "n"]);
    }
}
