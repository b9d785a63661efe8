//! Values in a query string: text that becomes what the schema says the field holds.

use outrigger_kernel::{Error, Result, Timestamp};
use outrigger_ports::index_value;
use serde_json::Value;

use super::field::{Column, Field};

/// Encodes the text of a filter on `name` as a value of the column.
///
/// With a type in the schema the text is read as that type. Without one, what is a JSON number,
/// boolean or null is taken as such, and all else is a string; `"5"` in quotes is the string 5.
///
/// # Errors
/// `invalid` naming the query parameter.
pub(crate) fn encode(
    column: &Column,
    schema: Option<&Value>,
    name: &str,
    text: &str,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match &column.field {
        Field::Id | Field::CreatedBy => index_value::string(&mut out, text),
        _ if column.is_time && text == "null" => index_value::null(&mut out),
        _ if column.is_time => match Timestamp::parse(text) {
            Some(time) => index_value::time(&mut out, time),
            None => return Err(wrong(name, "an RFC 3339 date-time")),
        },
        field => {
            let value = value(field.schema(schema), name, text)?;
            // Only scalars come out of `value`, and times were handled above.
            let _ = column.encode_value(&mut out, &value);
        }
    }
    Ok(out)
}

/// The value that a text stands for.
///
/// # Errors
/// `invalid` naming the query parameter.
pub(crate) fn value(schema: Option<&Value>, name: &str, text: &str) -> Result<Value> {
    let types = types(schema);
    if types.is_empty() {
        return Ok(scalar(text).unwrap_or_else(|| Value::from(text)));
    }
    let fits = |value: &Value| match value {
        // A record without the field is found by null, unless that could be the text "null".
        Value::Null => types.contains(&"null") || !types.contains(&"string"),
        Value::Bool(_) => types.contains(&"boolean"),
        Value::Number(number) => {
            types.contains(&"number") || (types.contains(&"integer") && !number.is_f64())
        }
        _ => false,
    };
    match scalar(text).filter(fits) {
        Some(value) => Ok(value),
        None if types.contains(&"string") => Ok(Value::from(text)),
        None => Err(wrong(name, &types.join(" or "))),
    }
}

fn types(schema: Option<&Value>) -> Vec<&str> {
    match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn scalar(text: &str) -> Option<Value> {
    serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_array() && !value.is_object())
}

fn wrong(name: &str, expected: &str) -> Error {
    Error::invalid(&["query", name], "type", format!("expected {expected}"))
}
