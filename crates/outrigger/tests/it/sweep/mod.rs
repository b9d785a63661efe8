//! Every route and method of the API document: who may call it, and what becomes of bad input.

mod access;
mod audited;
mod credentials;
mod garbage;
mod raw;
mod rules;
mod secrets;
mod undocumented;
mod wire;
mod world;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Answer, Api};
use world::World;

/// One operation of the API document.
#[derive(Clone, Debug)]
struct Operation {
    /// `resource.verb`, without the name of a collection.
    id: String,
    method: String,
    path: String,
    access: String,
    /// The statuses that the document names.
    statuses: Vec<u16>,
    /// Media type and schema of the body.
    body: Option<(String, Value)>,
    /// Whether it answers in pages.
    is_list: bool,
}

impl Operation {
    /// All operations, except those that repeat a route for one collection.
    fn all(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().expect("paths");
        let methods = paths.iter().flat_map(|(path, methods)| {
            methods.as_object().expect("methods").iter().map(move |(m, note)| (path, m, note))
        });
        let operations = methods.map(|(path, method, note)| Self::of(document, path, method, note));
        operations.filter(|operation| !operation.is_of_one_collection()).collect()
    }

    fn of(document: &Value, path: &str, method: &str, note: &Value) -> Self {
        let id = note["operationId"].as_str().expect("an id");
        let content = note["requestBody"]["content"].as_object();
        let body = content.and_then(|content| content.iter().next()).map(|(media_type, body)| {
            let schema = &body["schema"];
            let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
            let schema = name.map_or(Some(schema), |name| document.pointer(name));
            (media_type.clone(), schema.expect("the schema is there").clone())
        });
        let mut parameters = note["parameters"].as_array().into_iter().flatten();
        Self {
            is_list: parameters.any(|parameter| parameter["name"] == "cursor"),
            id: id.splitn(3, '.').take(2).collect::<Vec<_>>().join("."),
            method: method.to_uppercase(),
            path: path.to_owned(),
            access: note["x-outrigger-access"].as_str().expect("an access rule").to_owned(),
            statuses: note["responses"]
                .as_object()
                .expect("responses")
                .keys()
                .map(|status| status.parse().expect("a status"))
                .collect(),
            body,
        }
    }

    fn is_of_one_collection(&self) -> bool {
        self.path.starts_with("/api/v1/records/") && !self.path.contains("{collection}")
    }

    fn has_path_parameters(&self) -> bool {
        self.path.contains('{')
    }

    /// Fails when the answer is not what the document and the contract of errors say.
    #[track_caller]
    fn check(&self, what: &str, answer: &Answer) {
        let at = format!("{} {what}: {} {}", self.id, answer.status, answer.text);
        assert!(answer.status < 500, "{at}");
        assert!(self.statuses.contains(&answer.status), "this status is not documented: {at}");
        if answer.status >= 400 {
            check_problem(&at, answer);
        }
    }
}

/// Fails unless this is a complete problem (RFC 9457).
#[track_caller]
fn check_problem(at: &str, answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{at}");
    for name in ["type", "title", "detail", "code", "request_id"] {
        assert!(body[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {at}");
    }
    assert_eq!(body["request_id"], answer.header("x-request-id"), "{at}");
    if answer.status == 422 {
        let faults = body["errors"].as_array().expect("the faults are listed");
        assert!(!faults.is_empty(), "{at}");
        for fault in faults {
            let place = fault["loc"].as_array().expect("a place");
            assert!(place[0].is_string() && !place.is_empty(), "{at}");
            assert!(fault["code"].is_string() && fault["message"].is_string(), "{at}");
        }
    }
    if answer.status == 401 {
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{at}");
    }
}

/// A request that is right, but for who sends it.
#[derive(Clone, Debug)]
struct Call {
    method: String,
    path: String,
    body: Option<(String, String)>,
}

impl Call {
    fn send(&self, api: &Api) -> Answer {
        let body = self.body.as_ref().map(|(media_type, text)| (media_type.as_str(), text.clone()));
        api.send(&self.method, &self.path, body)
    }

    /// The same with another body.
    fn with_body(&self, body: &str) -> Self {
        let media_type = self.body.as_ref().map(|(media_type, _)| media_type.clone());
        Self { body: media_type.map(|media_type| (media_type, body.to_owned())), ..self.clone() }
    }
}

/// Groups operations by path: the methods that each path has.
fn methods_by_path(operations: &[Operation]) -> BTreeMap<&str, Vec<&str>> {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in operations {
        paths.entry(&operation.path).or_default().push(&operation.method);
    }
    paths
}
