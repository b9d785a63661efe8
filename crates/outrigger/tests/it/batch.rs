//! Batches over HTTP.

use serde_json::{Value, json};

use crate::support::{Answer, Server, on_each_backend};

on_each_backend!(a_batch_is_all_or_nothing, a_repeated_batch_with_a_key_commits_once);

fn batch(server: &Server, operations: &Value) -> Answer {
    server.admin().post("/api/v1/batch", &json!({"operations": operations}))
}

fn a_batch_is_all_or_nothing(server: &Server) {
    let (left, right) =
        (server.collection(&json!({})), server.collection(&json!({"unique": ["k"]})));
    let put = |collection: &str, id: &str, data: Value| json!({"op": "put", "collection": collection, "id": id, "data": data});
    let done =
        batch(server, &json!([put(&left, "a", json!({})), put(&right, "b", json!({"k": 1}))]));
    assert_eq!(done.expect(200).json()["results"][1]["version"], 1);
    let admin = server.admin();
    for (second, status) in [
        (put(&right, "c", json!({"k": 1})), 409),
        (json!({"op": "check", "collection": left, "id": "a", "if_version": 7}), 412),
        (json!({"op": "delete", "collection": left, "id": "none"}), 404),
        (json!({"op": "put", "collection": left, "id": "a", "data": [], "if_version": 1}), 422),
        (json!({"op": "swap", "collection": left, "id": "a"}), 422),
        (json!({"op": "put", "collection": left, "id": "new", "data": {}}), 422),
    ] {
        batch(server, &json!([put(&left, "new", json!({})), second])).expect(status);
        admin.get(&format!("/api/v1/records/{left}/new")).expect(404);
    }
    let swap = json!([
        {"op": "put", "collection": right, "id": "b", "data": {"k": 2}, "if_version": 1},
        {"op": "put", "collection": right, "id": "c", "data": {"k": 1}, "if_version": 0},
        {"op": "delete", "collection": left, "id": "a", "if_version": 1},
    ]);
    batch(server, &swap).expect(200);
    admin.get(&format!("/api/v1/records/{left}/a")).expect(404);
    let too_many: Vec<Value> = (0..17).map(|n| put(&left, &format!("n{n}"), json!({}))).collect();
    assert_eq!(batch(server, &json!(too_many)).expect(422).places(), ["body.operations"]);
}

fn a_repeated_batch_with_a_key_commits_once(server: &Server) {
    let name = server.collection(&json!({}));
    let admin = server.admin().with("idempotency-key", &name);
    let body = json!({"operations": [{"op": "put", "collection": name, "data": {}}]});
    let first = admin.post("/api/v1/batch", &body).expect(200).json();
    let second = admin.post("/api/v1/batch", &body).expect(200).json();
    assert_eq!(first, second);
}
