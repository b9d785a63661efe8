//! Text with places for values: `{{record.title}}`.

use serde_json::Value;

/// Longest path of a value, in bytes.
const PATH_BYTES_MAX: usize = 128;

/// What a value must not do to the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// Several lines of plain text: nothing to mind.
    Text,
    /// HTML: `& < > " '` are escaped.
    Html,
    /// One line: line breaks and other control characters become spaces.
    Line,
}

/// The text with each `{{path}}` replaced by what `data` has at the path: names with dots between
/// them, such as `record.address.city`, or positions in a list, such as `record.lines.0`.
///
/// # Errors
/// Names the path whose value is not there, or is no text, number or boolean; or says that the
/// text would have more than `most` bytes.
pub(super) fn fill(
    text: &str,
    data: &Value,
    within: Within,
    most: usize,
) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((path, behind)) = after.split_once("}}") else {
            return Err("a {{ has no }}".to_owned());
        };
        filled.push_str(before);
        put(&mut filled, &value_at(data, path.trim())?, within);
        if filled.len() > most {
            break;
        }
        rest = behind;
    }
    filled.push_str(rest);
    match filled.len() > most {
        true => Err(format!("is longer than {most} bytes with its values")),
        false => Ok(filled),
    }
}

fn value_at(data: &Value, path: &str) -> Result<String, String> {
    if path.len() > PATH_BYTES_MAX {
        return Err(format!("a path in {{{{ }}}} is longer than {PATH_BYTES_MAX} bytes"));
    }
    match path.split('.').try_fold(data, step) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(Value::Null) | None => Err(format!("{{{{{path}}}}} has no value")),
        Some(_) => Err(format!("{{{{{path}}}}} is no text, number or boolean")),
    }
}

fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    }
}

fn put(filled: &mut String, value: &str, within: Within) {
    for letter in value.chars() {
        match (within, letter) {
            (Within::Html, '&') => filled.push_str("&amp;"),
            (Within::Html, '<') => filled.push_str("&lt;"),
            (Within::Html, '>') => filled.push_str("&gt;"),
            (Within::Html, '"') => filled.push_str("&quot;"),
            (Within::Html, '\'') => filled.push_str("&#39;"),
            (Within::Line, letter) if letter.is_control() => filled.push(' '),
            (_, letter) => filled.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(text: &str, within: Within) -> Result<String, String> {
        let record = json!({
            "title": "Tea & <Cake>\nfor two", "price": 5.5, "paid": true, "lines": [{"sku": "t-1"}],
            "none": null, "{{title}}": 1,
        });
        fill(text, &json!({"event": "create", "record": record}), within, 64)
    }

    #[test]
    fn values_are_found_by_their_paths() {
        for (text, expected) in [
            ("no places", "no places"),
            ("{{event}}: {{ record.price }}, {{record.paid}}", "create: 5.5, true"),
            ("{{record.lines.0.sku}}}} {", "t-1}} {"),
        ] {
            assert_eq!(filled(text, Within::Text).unwrap(), expected);
        }
    }

    #[test]
    fn a_value_that_is_not_there_is_named() {
        for (text, part) in [
            ("{{record.titel}}", "{{record.titel}} has no value"),
            ("{{record.none}}", "{{record.none}} has no value"),
            ("{{record.lines.7.sku}}", "{{record.lines.7.sku}} has no value"),
            ("{{record.lines}}", "{{record.lines}} is no text"),
            ("{{}}", "{{}} has no value"),
            ("{{record.title", "a {{ has no }}"),
        ] {
            let error = filled(text, Within::Text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let long = format!("{{{{{}}}}}", "a".repeat(129));
        assert!(filled(&long, Within::Text).unwrap_err().contains("longer than 128"));
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        let html = filled("<b>{{record.title}}</b>", Within::Html).unwrap();
        assert_eq!(html, "<b>Tea &amp; &lt;Cake&gt;\nfor two</b>");
        assert_eq!(filled("{{record.title}}", Within::Line).unwrap(), "Tea & <Cake> for two");
        // What a value holds is not looked at again.
        let nested = fill("{{a}}", &json!({"a": "{{b}}"}), Within::Text, 64).unwrap();
        assert_eq!(nested, "{{b}}");
    }

    #[test]
    fn values_do_not_make_a_text_too_long() {
        let many = "{{record.title}}".repeat(9);
        assert!(filled(&many, Within::Text).unwrap_err().contains("longer than 64 bytes"));
    }
}
