//! Collections over HTTP.

use std::time::Duration;

use outrigger_testkit::{eventually, wait_until};
use serde_json::{Value, json};

use crate::support::{Server, on_each_backend, unique};

const PATIENCE: Duration = Duration::from_secs(120);

on_each_backend!(
    a_collection_is_defined_shown_changed_and_deleted,
    only_administrators_define,
    a_bad_definition_is_named,
    a_new_index_is_built_without_an_outage,
    each_collection_is_in_the_api_document_with_its_schema,
    the_api_document_leads_to_all_it_names,
);

fn a_collection_is_defined_shown_changed_and_deleted(server: &Server) {
    let admin = server.admin();
    let name = unique("defined-");
    let path = format!("/api/v1/collections/{name}");
    let made = admin.put(&path, &json!({"rules": {"read": "public"}})).expect(201).json();
    assert_eq!((&made["cache_ttl_s"], &made["rules"]["create"]), (&json!(60), &json!("admin")));
    admin.put(&path, &json!({"cache_ttl_s": 5})).expect(200);
    assert_eq!(admin.get(&path).expect(200).json()["cache_ttl_s"], 5);
    let listed = admin.get("/api/v1/collections?limit=100").expect(200).json();
    assert!(listed["items"].as_array().unwrap().iter().any(|item| item["name"] == name.as_str()));
    let record = format!("/api/v1/records/{name}/x");
    admin.put(&record, &json!({})).expect(201);
    admin.delete(&path).expect(204);
    admin.get(&path).expect(404);
    admin.get(&record).expect(404);
    admin.put(&path, &json!({})).expect(201);
    admin.get(&record).expect(404);
}

fn only_administrators_define(server: &Server) {
    let path = format!("/api/v1/collections/{}", unique("mine-"));
    server.api().put(&path, &json!({})).expect(401);
    server.user().put(&path, &json!({})).expect(403);
    server.user().get("/api/v1/collections").expect(403);
}

fn a_bad_definition_is_named(server: &Server) {
    let admin = server.admin();
    let put = |name: &str, body: Value| admin.put(&format!("/api/v1/collections/{name}"), &body);
    for (body, place) in [
        (json!({"schema": {"type": "strin"}}), "body.schema"),
        (json!({"schema": {"properties": {"a": {"minimum": "x"}}}}), "body.schema"),
        (json!({"indexes": ["a b"]}), "body.indexes.0"),
        (json!({"indexes": ["a", "a"]}), "body.indexes.1"),
        (json!({"indexes": ["a", "b", "c", "d", "e", "f", "g", "h", "i"]}), "body.indexes"),
        (json!({"rules": {"read": "everybody"}}), "body.rules.read"),
        (json!({"rules": {"write": "admin"}}), "body.rules.write"),
        (json!({"cache_ttl_s": -1}), "body.cache_ttl_s"),
        (json!({"colour": 1}), "body.colour"),
    ] {
        let answer = put("bad", body).expect(422);
        assert!(answer.places().iter().any(|p| p.starts_with(place)), "{place}: {}", answer.text);
    }
    assert_eq!(put("a%20b", json!({})).expect(422).places(), ["path.name"]);
    admin.get("/api/v1/collections/bad").expect(404);
}

fn a_new_index_is_built_without_an_outage(server: &Server) {
    let admin = server.admin();
    let name = server.collection(&json!({"indexes": ["a"]}));
    let collection = format!("/api/v1/collections/{name}");
    let records = format!("/api/v1/records/{name}");
    for n in 0..30 {
        admin.put(&format!("{records}/{n}"), &json!({"a": n, "b": n % 3})).expect(201);
    }
    let changed = admin.put(&collection, &json!({"indexes": ["a", "b"]})).expect(200).json();
    assert_eq!(changed["indexing"]["building"], json!(["b"]));
    let building = admin.get(&format!("{records}?b=1"));
    let is_built = admin.get(&collection).expect(200).json().get("indexing").is_none();
    assert!(is_built || [409, 422].contains(&building.status), "{}", building.text);
    admin.get(&format!("{records}?a=1")).expect(200);
    admin.put(&format!("{records}/new"), &json!({"a": 99, "b": 1})).expect(201);
    wait_until("the index is built", PATIENCE, || {
        admin.get(&collection).json().get("indexing").is_none()
    })
    .unwrap();
    let found = eventually("this thread knows", PATIENCE, || {
        let found = admin.get(&format!("{records}?b=1&limit=100"));
        anyhow::ensure!(found.status == 200, "{}", found.text);
        Ok(found.json())
    });
    assert_eq!(found.unwrap()["items"].as_array().unwrap().len(), 11);
}

fn each_collection_is_in_the_api_document_with_its_schema(server: &Server) {
    let schema = json!({"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}});
    let name = server.collection(&json!({"schema": schema, "indexes": ["colour"]}));
    let document = server.api().get("/openapi.json").expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let path = &document["paths"][format!("/api/v1/records/{name}")];
    let body = &path["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(*body, json!({"$ref": format!("#/components/schemas/records.{name}")}));
    assert_eq!(document["components"]["schemas"][format!("records.{name}")], schema);
    let parameters = path["get"]["parameters"].as_array().unwrap();
    assert!(parameters.iter().any(|parameter| parameter["name"] == "colour"));
    let one = &document["paths"][format!("/api/v1/records/{name}/{{id}}")];
    assert!(one["patch"].is_object() && one["delete"].is_object());
}

fn the_api_document_leads_to_all_it_names(server: &Server) {
    let schema = json!({
        "type": "object",
        "properties": {
            "at": {"$ref": "#/$defs/point"},
            "line": {"type": "array", "items": {"$ref": "#point"}},
            "next": {"$ref": "#"},
        },
        "$defs": {"point": {"$anchor": "point", "type": "object", "properties": {"x": {"type": "number"}}}},
    });
    let rules = json!({"create": "public"});
    let definition = json!({"schema": schema, "rules": rules, "indexes": ["limit", "sort,cursor"]});
    let name = server.collection(&definition);
    let path = format!("/api/v1/records/{name}");
    server.api().post(&path, &json!({"next": {"line": [{"x": 1.5}]}})).expect(201);
    server.api().post(&path, &json!({"next": {"line": [{"x": "1"}]}})).expect(422);
    let document = server.api().get("/openapi.json").expect(200).json();
    let mut targets = Vec::new();
    references(&document, &mut targets);
    assert!(targets.iter().any(|target| target.contains(&format!("{name}/$defs/point"))));
    for target in targets {
        let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads away"));
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let mut names: Vec<String> =
                parameters.map(|it| format!("{} {}", it["in"], it["name"])).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{method} {path}: {names:?}");
        }
    }
}

/// The targets of all `$ref`.
fn references<'d>(value: &'d Value, targets: &mut Vec<&'d str>) {
    match value {
        Value::Object(part) => {
            targets.extend(part.get("$ref").and_then(Value::as_str));
            part.values().for_each(|inner| references(inner, targets));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, targets)),
        _ => {}
    }
}
