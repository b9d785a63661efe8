//! Each operation on records, under each rule, as everybody.

use super::world::{RULES, collection_of};
use super::{Operation, World};
use crate::support::{Answer, Api, Backend};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    Owner,
    Other,
    Editor,
    Admin,
}

use Who::{Admin, Editor, Nobody, Other, Owner};

/// What the rule says to whom; 200 stands for every success.
fn expected(rule: &str, operation: &str, who: Who) -> u16 {
    match (rule, who) {
        (_, Admin) | ("public", _) => 200,
        (_, Nobody) => 401,
        ("user", _) | ("owner", Owner) | ("role:editor", Editor) => 200,
        // Everybody who has signed in may create; a list shows one's own.
        ("owner", _) if ["records.create", "records.list"].contains(&operation) => 200,
        ("owner", _) => 404,
        _ => 403,
    }
}

fn api_of(world: &World, who: Who) -> Api {
    match who {
        Nobody => world.server.api(),
        Owner => world.api_of(&world.owner),
        Other => world.api_of(&world.other),
        Editor => world.api_of(&world.editor),
        Admin => world.admin.clone(),
    }
}

/// The collection as an administrator sees it.
fn state(world: &World, rule: &str) -> Answer {
    let path = format!("/api/v1/records/{}?limit=100", collection_of(rule));
    world.admin.get(&path).expect(200)
}

fn check(world: &World, operation: &Operation, rule: &str, who: Who) {
    let before = state(world, rule).text;
    let answer = world.call(operation, rule).send(&api_of(world, who));
    let at = format!("rule {rule}, as {who:?}");
    operation.check(&at, &answer);
    let got = if answer.status < 300 { 200 } else { answer.status };
    assert_eq!(got, expected(rule, &operation.id, who), "{}, {at}: {}", operation.id, answer.text);
    if got != 200 {
        assert_eq!(
            state(world, rule).text,
            before,
            "{}, {at}: it was refused and done",
            operation.id
        );
        assert!(answer.json().get("data").is_none(), "{at}");
    }
    if rule == "owner" && operation.id == "records.list" && answer.status == 200 {
        let items = answer.json()["items"].as_array().unwrap().len();
        let sees = usize::from([Owner, Admin].contains(&who));
        assert_eq!(items, sees, "{at}");
    }
}

#[test]
fn each_rule_lets_in_whom_it_names_on_sqlite() {
    each_rule_lets_in_whom_it_names(Backend::Sqlite);
}

#[test]
fn each_rule_lets_in_whom_it_names_on_postgres_and_redis() {
    each_rule_lets_in_whom_it_names(Backend::postgres_and_redis());
}

fn each_rule_lets_in_whom_it_names(backend: Backend) {
    let world = World::start(backend);
    let on_records =
        world.operations.iter().filter(|it| it.access == "rules" && it.id.starts_with("records."));
    let on_records: Vec<&Operation> = on_records.collect();
    assert_eq!(on_records.len(), 7, "list, create, read, replace, patch, delete and the batch");
    for rule in RULES {
        for who in [Nobody, Other, Editor, Owner, Admin] {
            // Reads last, so that they see what the writes have left.
            for operation in &on_records {
                if operation.id == "records.create" && expected(rule, &operation.id, who) == 200 {
                    create_and_remove(&world, operation, rule, who);
                } else {
                    check(&world, operation, rule, who);
                }
                if operation.id == "records.delete" && expected(rule, &operation.id, who) == 200 {
                    world.restore(rule);
                }
            }
        }
    }
}

/// Creates a record and takes it away again, so that lists stay as they were.
fn create_and_remove(world: &World, operation: &Operation, rule: &str, who: Who) {
    let answer = world.call(operation, rule).send(&api_of(world, who));
    operation.check("create", &answer);
    let record = answer.expect(201);
    let path = record.header("location").to_owned();
    let creator = match who {
        Nobody => serde_json::Value::Null,
        Owner => world.owner.id.as_str().into(),
        Other => world.other.id.as_str().into(),
        Editor => world.editor.id.as_str().into(),
        Admin => record.json()["created_by"].clone(),
    };
    assert_eq!(record.json()["created_by"], creator);
    world.admin.delete(&path).expect(204);
}

#[test]
fn a_batch_with_one_forbidden_operation_does_nothing() {
    let world = World::start(Backend::Sqlite);
    let other = world.api_of(&world.other);
    for (rule, status) in [("owner", 404), ("role:editor", 403), ("admin", 403)] {
        let put = |collection: String, id: &str| serde_json::json!({"op": "put", "collection": collection, "id": id, "data": {"n": 9}});
        let operations = [put(collection_of("public"), "sneaked"), put(collection_of(rule), "one")];
        let answer = other.post("/api/v1/batch", &serde_json::json!({"operations": operations}));
        let answer = answer.expect(status);
        assert!(answer.text.contains("operation 1"), "the place is named: {}", answer.text);
        let path = format!("/api/v1/records/{}/sneaked", collection_of("public"));
        world.admin.get(&path).expect(404);
    }
}
