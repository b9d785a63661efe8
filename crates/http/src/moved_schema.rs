//! A schema that becomes a part of another document: its references lead to the same places there.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Keywords whose value is data, whatever it looks like.
const DATA: [&str; 5] = ["const", "enum", "default", "example", "examples"];
/// Keywords whose value has a schema under each name.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// The schema as it must be written when it stands at `place`, such as `#/components/schemas/a`:
/// references to itself begin there, and it has neither an address nor anchors of its own. A part with
/// an `$id` is a document by itself and stays as it is.
pub(crate) fn moved(schema: &Value, place: &str) -> Value {
    let mut schema = schema.clone();
    let own = schema.as_object_mut().and_then(|root| root.remove("$id"));
    let own = own.as_ref().and_then(Value::as_str).map(|id| id.trim_end_matches('#'));
    let mut anchors = HashMap::new();
    walk(&mut schema, place, true, &mut |part, place| {
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(Value::String(anchor)) = part.remove(keyword) {
                anchors.insert(anchor, place.to_owned());
            }
        }
    });
    walk(&mut schema, place, true, &mut |part, _| {
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(Value::String(target)) = part.get_mut(keyword)
                && let Some(found) = find(target, own, place, &anchors)
            {
                *target = found;
            }
        }
    });
    schema
}

/// Where a reference leads to, if it is one to the schema itself.
fn find(
    target: &str,
    own: Option<&str>,
    place: &str,
    anchors: &HashMap<String, String>,
) -> Option<String> {
    let target = own.and_then(|own| target.strip_prefix(own)).unwrap_or(target);
    match target.strip_prefix('#') {
        None if target.is_empty() => Some(place.to_owned()),
        None => None,
        Some(path) if path.is_empty() || path.starts_with('/') => Some(format!("{place}{path}")),
        Some(anchor) => anchors.get(anchor).cloned(),
    }
}

/// Visits each schema in this one, itself first, with its place.
fn walk(
    value: &mut Value,
    place: &str,
    is_schema: bool,
    visit: &mut dyn FnMut(&mut Map<String, Value>, &str),
) {
    match value {
        Value::Object(part) if is_schema && part.contains_key("$id") => {}
        Value::Object(part) => {
            if is_schema {
                visit(part, place);
            }
            for (key, inner) in part {
                if !(is_schema && DATA.contains(&key.as_str())) {
                    let is_named = is_schema && NAMED.contains(&key.as_str());
                    let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                    walk(inner, &place, !is_named, visit);
                }
            }
        }
        Value::Array(items) => {
            for (position, inner) in items.iter_mut().enumerate() {
                walk(inner, &format!("{place}/{position}"), is_schema, visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_lead_to_the_same_places() {
        let schema = json!({
            "$id": "https://example.com/tree",
            "type": "object",
            "properties": {
                "child": {"$ref": "#"},
                "tags": {"items": {"$ref": "#/$defs/tag"}},
                "first": {"anyOf": [{"$ref": "#named"}, {"$ref": "https://example.com/tree#/$defs/tag"}]},
                "$ref": {"type": "string"},
                "const": {"$ref": "#/$defs/a~1b"},
                "kept": {"const": {"$ref": "#/$defs/tag"}},
                "other": {"$ref": "https://json-schema.org/draft/2020-12/schema"},
            },
            "$defs": {
                "tag": {"type": "string"},
                "a/b": {"$anchor": "named", "type": "integer"},
                "apart": {"$id": "apart", "$ref": "#/$defs/x", "$defs": {"x": true}},
            },
        });
        let moved = moved(&schema, "#/p");
        assert_eq!(moved.get("$id"), None);
        assert_eq!(
            moved["properties"],
            json!({
                "child": {"$ref": "#/p"},
                "tags": {"items": {"$ref": "#/p/$defs/tag"}},
                "first": {"anyOf": [{"$ref": "#/p/$defs/a~1b"}, {"$ref": "#/p/$defs/tag"}]},
                "$ref": {"type": "string"},
                "const": {"$ref": "#/p/$defs/a~1b"},
                "kept": {"const": {"$ref": "#/$defs/tag"}},
                "other": {"$ref": "https://json-schema.org/draft/2020-12/schema"},
            })
        );
        assert_eq!(moved["$defs"]["a/b"], json!({"type": "integer"}));
        assert_eq!(moved["$defs"]["apart"], schema["$defs"]["apart"]);
        assert_eq!(super::moved(&json!(true), "#/p"), json!(true));
    }
}
