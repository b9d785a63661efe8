//! `records.export` and `records.import`: records into files and back, as tasks.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{Api, Server, on_each_backend, unique, until};

on_each_backend!(
    records_go_into_a_file_and_back,
    a_bad_line_is_named_and_nothing_is_written,
    what_a_payload_lacks_is_named,
);

fn run(admin: &Api, kind: &str, payload: &Value, status: &str) -> Value {
    let body = json!({"kind": kind, "payload": payload});
    let answer = admin.post("/api/v1/tasks", &body).expect(202);
    until(admin, answer.header("location"), status)
}

/// Puts a file where the blobs are; its key.
fn file(server: &Server, text: &str) -> String {
    let key = format!("imports/{}", unique("file-"));
    let path = server.path().join("data/blobs").join(&key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    key
}

fn records_go_into_a_file_and_back(server: &Server) {
    let (admin, count) = (server.admin(), if server.is_on_emulator() { 50 } else { 300 });
    let schema = json!({"properties": {"n": {"type": "integer"}, "text": {"type": "string"}}});
    let definition = json!({"schema": schema, "indexes": ["n"]});
    let (from, to) = (server.collection(&definition), server.collection(&definition));
    let mut lines = String::new();
    for n in 0..count {
        writeln!(lines, "{{\"id\": \"r{n}\", \"data\": {{\"n\": {n}, \"text\": \"a,b\"}}}}")
            .unwrap();
    }
    let key = file(server, &lines);
    let import = json!({"collection": from, "from": key});
    let task = run(&admin, "records.import", &import, "succeeded");
    assert_eq!(task["result"], json!({"written": count, "bad": 0, "errors": []}));
    for format in ["ndjson", "csv"] {
        let export = json!({"collection": from, "format": format});
        let task = run(&admin, "records.export", &export, "succeeded");
        let key = format!("exports/{}.{format}", task["id"].as_str().unwrap());
        assert_eq!(
            (&task["result"]["records"], &task["result"]["key"]),
            (&json!(count), &json!(key))
        );
        let size = server.path().join("data/blobs").join(&key).metadata().unwrap().len();
        assert_eq!(task["result"]["bytes"], size);
        let import = json!({"collection": to, "from": key, "format": format});
        let task = run(&admin, "records.import", &import, "succeeded");
        assert_eq!(task["result"]["written"], count);
    }
    let found = admin.get(&format!("/api/v1/records/{to}?n=41")).expect(200).json();
    assert_eq!(found["items"][0]["data"], json!({"n": 41, "text": "a,b"}));
    assert_eq!(found["items"][0]["version"], 2);
}

fn a_bad_line_is_named_and_nothing_is_written(server: &Server) {
    let admin = server.admin();
    let name = server.collection(&json!({"schema": {"required": ["n"]}}));
    let key =
        file(server, "{\"id\": \"a\", \"data\": {\"n\": 1}}\n{\"id\": \"b\", \"data\": {}}\n");
    let mut import = json!({"collection": name, "from": key});
    let task = run(&admin, "records.import", &import, "failed");
    assert_eq!((&task["attempts"], &task["error"]["code"]), (&json!(1), &json!("bad_lines")));
    let message = task["error"]["message"].as_str().unwrap();
    assert!(message.contains("line 2: data.n: this field is required"), "{message}");
    admin.get(&format!("/api/v1/records/{name}/a")).expect(404);
    import["bad_lines"] = json!("skip");
    let task = run(&admin, "records.import", &import, "succeeded");
    let bad = json!([{"line": 2, "message": "data.n: this field is required"}]);
    assert_eq!(task["result"], json!({"written": 1, "bad": 1, "errors": bad}));
    admin.get(&format!("/api/v1/records/{name}/a")).expect(200);
}

fn what_a_payload_lacks_is_named(server: &Server) {
    let admin = server.admin();
    for (kind, payload, place) in [
        ("records.export", json!({}), "collection"),
        ("records.export", json!({"collection": "x", "format": "xml"}), "format"),
        ("records.import", json!({"collection": "x"}), "from"),
        ("records.import", json!({"collection": "x", "from": "y", "bad_lines": "?"}), "bad_lines"),
    ] {
        let body = json!({"kind": kind, "payload": payload});
        let answer = admin.post("/api/v1/tasks", &body).expect(422);
        assert_eq!(answer.places(), [format!("body.payload.{place}")], "{}", answer.text);
    }
    let import = json!({"collection": server.collection(&json!({})), "from": "../server.log"});
    let task = run(&admin, "records.import", &import, "failed");
    assert_eq!(task["error"]["code"], "invalid_key");
}
