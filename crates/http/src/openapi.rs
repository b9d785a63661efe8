//! The API document (OpenAPI 3.1), made from the same table as the router.

use outrigger_domain::records::CollectionView;
use outrigger_domain::tasks::KindView;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::moved_schema::moved;
use crate::operation::{Access, Doc, Operation};
use crate::problem::ProblemBody;
use crate::settings::Settings;

/// The document for these operations, collections and kinds of tasks.
pub fn document(
    operations: &[Operation],
    settings: &Settings,
    collections: &[CollectionView],
    kinds: &[KindView],
) -> Value {
    let mut generator = generator();
    let problem = generator.subschema_for::<ProblemBody<'static>>().to_value();
    let mut paths = Map::new();
    for operation in operations {
        let note = note(operation, &problem, &mut generator);
        insert(&mut paths, operation.path, operation.method.as_str(), note);
    }
    for collection in collections {
        for operation in operations.iter().filter(|o| o.path.starts_with("/api/v1/records/{coll")) {
            let (path, note) = crate::records::openapi::of_collection(
                operation,
                collection,
                &problem,
                &mut generator,
            );
            insert(&mut paths, &path, operation.method.as_str(), note);
        }
    }
    let mut schemas = generator.take_definitions(true);
    schemas.extend(collections.iter().filter_map(crate::records::openapi::component));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Outrigger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts, sessions, records and tasks.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": settings.public_url}],
        "paths": paths,
        "x-outrigger-task-kinds": task_kinds(kinds),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "password": {"type": "oauth2", "flows": {"password": {
                    "tokenUrl": "/api/v1/auth/token",
                    "scopes": {},
                }}},
            },
        },
    })
}

/// The kinds with the schemas of their payloads.
fn task_kinds(kinds: &[KindView]) -> Vec<KindView> {
    let place = |position| format!("#/x-outrigger-task-kinds/{position}/payload");
    let kinds = kinds.iter().enumerate().map(|(position, kind)| KindView {
        payload: moved(&kind.payload, &place(position)),
        ..kind.clone()
    });
    kinds.collect()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator()
}

fn insert(paths: &mut Map<String, Value>, path: &str, method: &str, note: Value) {
    let methods = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(methods) = methods {
        methods.insert(method.to_ascii_lowercase(), note);
    }
}

/// What the document says of one operation.
pub(crate) fn note(
    operation: &Operation,
    problem: &Value,
    generator: &mut SchemaGenerator,
) -> Value {
    let doc = &operation.doc;
    let mut note = Map::new();
    note.insert("operationId".into(), doc.id.into());
    note.insert("summary".into(), doc.summary.into());
    if !doc.description.is_empty() {
        note.insert("description".into(), doc.description.into());
    }
    note.insert("tags".into(), json!([operation.service()]));
    note.insert("x-outrigger-access".into(), doc.access.as_str().into());
    note.insert("security".into(), security(doc.access));
    note.insert("parameters".into(), parameters(operation).into());
    if let Some((media_type, schema)) = doc.body {
        let content = json!({media_type: {"schema": schema(generator)}});
        note.insert("requestBody".into(), json!({"required": true, "content": content}));
    }
    note.insert("responses".into(), responses(operation, problem, generator).into());
    Value::Object(note)
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::User | Access::Worker | Access::Admin => json!([{"bearer": []}, {"password": []}]),
        Access::Rules => json!([{}, {"bearer": []}, {"password": []}]),
    }
}

/// The names in braces in a path.
pub(crate) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = path_parameters(operation.path).map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let others = operation.doc.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": parameter.place, "required": parameter.required,
            "schema": parameter.schema, "description": parameter.description,
        })
    });
    in_path.chain(others).collect()
}

fn responses(
    operation: &Operation,
    problem: &Value,
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, description, schema) in &operation.doc.answers {
        let mut answer = json!({"description": description});
        if let Some(schema) = schema {
            answer["content"] = json!({"application/json": {"schema": schema(generator)}});
        } else if let Some(media_type) = operation.doc.media_type {
            // How a schema is meant for a stream of events is not said before OpenAPI 3.2.
            let is_stream = media_type == "text/event-stream";
            let content = if is_stream { json!({}) } else { json!({"schema": {"type": "string"}}) };
            answer["content"] = json!({media_type: content});
        }
        responses.insert(status.to_string(), answer);
    }
    for status in problems(operation) {
        let description = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or("error");
        let content = json!({"application/problem+json": {"schema": problem}});
        let answer = json!({"description": description, "content": content});
        responses.entry(status.to_string()).or_insert(answer);
    }
    responses
}

/// The errors that follow from what an operation takes, and those that it names itself.
fn problems(operation: &Operation) -> Vec<u16> {
    let Doc { access, body, problems, .. } = &operation.doc;
    // A malformed request and a malformed token are possible everywhere.
    let mut all = vec![400, 401, 413, 429, 431, 500, 503];
    if *access != Access::Public {
        all.push(403);
    }
    if path_parameters(operation.path).next().is_some() {
        all.push(404);
    }
    if body.is_some() {
        all.extend([408, 415, 422]);
    }
    all.extend(problems);
    all.sort_unstable();
    all.dedup();
    all
}
