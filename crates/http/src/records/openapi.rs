//! What the API document says of the records of one collection, with its own schema.

use outrigger_domain::records::CollectionView;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use crate::moved_schema::moved;
use crate::openapi::note;
use crate::operation::Operation;

/// The path and the note of an operation on this collection's records.
pub(crate) fn of_collection(
    operation: &Operation,
    collection: &CollectionView,
    problem: &Value,
    generator: &mut SchemaGenerator,
) -> (String, Value) {
    let name = &collection.name;
    let mut note = note(operation, problem, generator);
    note["operationId"] = format!("{}.{name}", operation.doc.id).into();
    note["tags"] = json!([format!("records: {name}")]);
    note["summary"] = format!("{} of {name}", operation.doc.summary).into();
    if let Some(parameters) = note["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"] != "collection");
        if operation.doc.id == "records.list" {
            let known: Vec<Value> = parameters.iter().map(|p| p["name"].clone()).collect();
            // A field called `limit` cannot be asked for: the name is taken.
            let new = filters(collection).into_iter().filter(|p| !known.contains(&p["name"]));
            parameters.extend(new);
        }
    }
    let data = match collection.definition.schema {
        Some(_) => json!({"$ref": place(collection)}),
        None => json!({"type": "object"}),
    };
    if operation.doc.id != "records.patch"
        && let Some(body) = note.pointer_mut("/requestBody/content/application~1json/schema")
    {
        *body = data.clone();
    }
    let record = json!({"allOf": [
        {"$ref": "#/components/schemas/Record"},
        {"type": "object", "properties": {"data": data}},
    ]});
    for status in ["200", "201"] {
        let place = format!("/responses/{status}/content/application~1json/schema");
        if let Some(schema) = note.pointer_mut(&place) {
            *schema = match operation.doc.id {
                "records.list" => json!({
                    "type": "object",
                    "required": ["items", "next_cursor"],
                    "properties": {
                        "items": {"type": "array", "items": record},
                        "next_cursor": {"type": ["string", "null"]},
                    },
                }),
                _ => record.clone(),
            };
        }
    }
    (operation.path.replace("{collection}", name), note)
}

/// The collection's own schema, as a component of the API document with its name.
pub(crate) fn component(collection: &CollectionView) -> Option<(String, Value)> {
    let schema = collection.definition.schema.as_ref()?;
    Some((component_name(collection), moved(schema, &place(collection))))
}

/// No type of ours has a dot in its name.
fn component_name(collection: &CollectionView) -> String {
    format!("records.{}", collection.name)
}

fn place(collection: &CollectionView) -> String {
    format!("#/components/schemas/{}", component_name(collection))
}

/// One parameter for each field that is indexed.
fn filters(collection: &CollectionView) -> Vec<Value> {
    let declared = collection.definition.indexes.iter().chain(&collection.definition.unique);
    let mut fields: Vec<&str> = declared.flat_map(|index| index.split(',')).collect();
    fields.sort_unstable();
    fields.dedup();
    let parameter = |field| {
        json!({
            "name": field, "in": "query", "required": false, "schema": {"type": "string"},
            "description": "equals; also with [gt], [gte], [lt], [lte], [prefix]",
        })
    };
    fields.into_iter().map(parameter).collect()
}
