//! Records over HTTP.

use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::{Value, json};

use crate::support::{Backend, Server, on_each_backend};

on_each_backend!(
    a_record_lives_from_post_to_delete,
    conditional_requests_follow_the_standard,
    lists_filter_sort_and_page,
    what_cannot_be_done_is_named_and_changes_nothing,
    rules_hold_for_each_kind_of_caller,
    a_repeated_post_with_a_key_creates_once,
    numbers_and_text_come_back_as_they_were_sent,
);

fn open() -> Value {
    json!({"list": "public", "read": "public", "create": "public", "update": "public", "delete": "public"})
}

fn has_redis(server: &Server) -> bool {
    matches!(&server.options.backend, Backend::Urls { redis: Some(_), .. })
}

fn a_record_lives_from_post_to_delete(server: &Server) {
    let name = server.collection(&json!({"rules": open()}));
    let api = server.api();
    let made = api.post(&format!("/api/v1/records/{name}"), &json!({"title": "one"})).expect(201);
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/api/v1/records/{name}/{}", made.json()["id"].as_str().unwrap()));
    assert!(!made.header("etag").is_empty() && !made.header("x-request-id").is_empty());
    let mut said = Vec::new();
    let is_hit = || {
        let answer = api.get(&path).expect(200);
        assert_eq!(answer.text, made.text);
        said.push(answer.header("cache-status").to_owned());
        said.last().is_some_and(|status| status == "Outrigger; hit")
    };
    wait_until("a hit", Duration::from_secs(60), is_hit).unwrap();
    // Redis is done without for a moment when it is late, as on a busy machine.
    if has_redis(server) {
        assert!(said[0].starts_with("Outrigger; fwd="), "{said:?}");
    } else {
        assert_eq!(said, ["Outrigger; fwd=miss; stored", "Outrigger; hit"]);
    }
    let patched = api.patch(&path, &json!({"title": null, "n": 1})).expect(200).json();
    assert_eq!((&patched["data"], &patched["version"]), (&json!({"n": 1}), &json!(2)));
    assert_eq!(api.get(&path).expect(200).json()["data"], json!({"n": 1}));
    let put = api.put(&path, &json!({"n": 2})).expect(200).json();
    assert_eq!(put["version"], 3);
    assert_eq!(put["created_at"], made.json()["created_at"]);
    api.delete(&path).expect(204);
    api.get(&path).expect(404);
    api.delete(&path).expect(404);
}

fn conditional_requests_follow_the_standard(server: &Server) {
    let name = server.collection(&json!({"rules": open()}));
    let path = format!("/api/v1/records/{name}/a");
    let api = server.api();
    api.with("if-none-match", "*").put(&path, &json!({})).expect(201);
    api.with("if-none-match", "*").put(&path, &json!({})).expect(412);
    let tag = api.get(&path).expect(200).header("etag").to_owned();
    let not_modified = api.with("if-none-match", &tag).get(&path).expect(304);
    assert_eq!((not_modified.header("etag"), not_modified.text.as_str()), (tag.as_str(), ""));
    // A list may stand on several lines.
    let twice = api.with("if-none-match", "\"0-0\"").with("if-none-match", &tag);
    twice.get(&path).expect(304);
    api.with("if-match", "\"0-0\"").with("if-match", &tag).patch(&path, &json!({})).expect(200);
    let tag = api.get(&path).expect(200).header("etag").to_owned();
    api.with("if-match", "\"0-0\"").patch(&path, &json!({"x": 1})).expect(412);
    api.with("if-match", &tag).patch(&path, &json!({"x": 1})).expect(200);
    api.with("if-match", &tag).delete(&path).expect(412);
    api.with("if-match", "*").delete(&path).expect(204);
    api.with("if-match", "*").put(&path, &json!({})).expect(412);
}

fn lists_filter_sort_and_page(server: &Server) {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let definition = json!({"schema": schema, "rules": open(), "indexes": ["n", "status,n"]});
    let name = server.collection(&definition);
    let api = server.api();
    for n in 0..25 {
        let status = if n % 2 == 0 { "open" } else { "done" };
        let body = json!({"n": n, "status": status});
        api.put(&format!("/api/v1/records/{name}/r{n:02}"), &body).expect(201);
    }
    let list = |query: &str| api.get(&format!("/api/v1/records/{name}?{query}")).expect(200).json();
    let numbers = |page: &Value| -> Vec<i64> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["data"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(list("")["items"].as_array().unwrap().len(), 20);
    assert_eq!(numbers(&list("n[gte]=22")), [22, 23, 24]);
    assert_eq!(numbers(&list("status=open&sort=-n&limit=3")), [24, 22, 20]);
    let mut seen = Vec::new();
    let mut page = list("sort=-n&limit=10");
    loop {
        seen.extend(numbers(&page));
        // What is inserted between pages moves no page.
        api.post(&format!("/api/v1/records/{name}"), &json!({"n": 100, "status": "new"}))
            .expect(201);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        page = list(&format!("sort=-n&limit=10&cursor={cursor}"));
    }
    assert_eq!(seen, (0..25).rev().collect::<Vec<i64>>());
}

fn what_cannot_be_done_is_named_and_changes_nothing(server: &Server) {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": false});
    let name = server.collection(&json!({"schema": schema, "rules": open(), "unique": ["n"]}));
    let api = server.api();
    let path = format!("/api/v1/records/{name}");
    api.post(&path, &json!({"n": 1})).expect(201);
    assert_eq!(api.post(&path, &json!({"n": 1})).expect(409).code(), "not_unique");
    assert_eq!(api.post(&path, &json!({"n": "x"})).expect(422).places(), ["body.n"]);
    assert_eq!(api.post(&path, &json!({"m": 1})).expect(422).places(), ["body.m"]);
    let text = |body: &str| api.send("POST", &path, Some(("application/json", body.to_owned())));
    assert_eq!(text("{\"n\":").expect(400).code(), "malformed_json");
    assert_eq!(text(&"[".repeat(100)).expect(400).code(), "json_too_deep");
    assert_eq!(
        text(&format!("{{\"n\":\"{}\"}}", "x".repeat(300_000))).expect(413).code(),
        "record_too_large"
    );
    assert_eq!(text(&"x".repeat(2_000_000)).expect(413).code(), "body_too_large");
    let plain = api.send("POST", &path, Some(("text/plain", "{}".to_owned())));
    assert_eq!(plain.expect(415).code(), "unsupported_media_type");
    let query = |query: &str| api.get(&format!("{path}?{query}")).expect(422).places();
    assert_eq!(query("m=1"), ["query.m"]);
    assert_eq!(query("cursor=abc"), ["query.cursor"]);
    assert_eq!(query("limit=0"), ["query.limit"]);
    assert_eq!(api.put(&format!("{path}/a%20b"), &json!({})).expect(422).places(), ["path.id"]);
    api.get("/api/v1/records/no-such-collection").expect(404);
    let left = api.get(&path).expect(200).json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

fn rules_hold_for_each_kind_of_caller(server: &Server) {
    let rules = json!({"list": "owner", "read": "owner", "create": "user", "update": "owner"});
    let name = server.collection(&json!({"rules": rules}));
    let (one, two) = (server.user(), server.user());
    let path = format!("/api/v1/records/{name}");
    server.api().post(&path, &json!({})).expect(401);
    let mine = one.post(&path, &json!({})).expect(201).header("location").to_owned();
    one.get(&mine).expect(200);
    two.get(&mine).expect(404);
    two.patch(&mine, &json!({"x": 1})).expect(404);
    server.api().get(&mine).expect(401);
    one.delete(&mine).expect(403);
    assert_eq!(one.get(&path).expect(200).json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(two.get(&path).expect(200).json()["items"].as_array().unwrap().len(), 0);
    let admin = server.admin();
    admin.get(&mine).expect(200);
    admin.delete(&mine).expect(204);
}

fn a_repeated_post_with_a_key_creates_once(server: &Server) {
    let name = server.collection(&json!({"rules": open()}));
    let path = format!("/api/v1/records/{name}");
    let api = server.api().with("idempotency-key", &name);
    let first = api.post(&path, &json!({"a": 1})).expect(201);
    let second = api.post(&path, &json!({"a": 1})).expect(201);
    assert_eq!((first.text, first.headers.len()), (second.text, second.headers.len()));
    let other = api.post(&path, &json!({"a": 2})).expect(422);
    assert_eq!(other.places(), ["header.Idempotency-Key"]);
    let listed = server.api().get(&path).expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

fn numbers_and_text_come_back_as_they_were_sent(server: &Server) {
    let name = server.collection(&json!({"rules": open()}));
    let path = format!("/api/v1/records/{name}/x");
    let text = r#"{"big":18446744073709551615,"e":1.7976931348623157e308,"f":0.1,"neg":-9223372036854775808,"nul":"a\u0000b","s":"é\n漢\"\\","t":5e-324}"#;
    server.api().send("PUT", &path, Some(("application/json", text.to_owned()))).expect(201);
    let back = server.api().get(&path).expect(200);
    assert_eq!(back.json()["data"], serde_json::from_str::<Value>(text).unwrap());
    assert!(back.text.contains("18446744073709551615") && back.text.contains("5e-324"));
    let send = |method: &str, path: &str, text: &str| {
        server.api().send(method, path, Some(("application/json", text.to_owned())))
    };
    // What would come back as another number, or not at all, is refused by name.
    for (text, place, code) in [
        (r#"{"a":[0,{"n":12345678901234567890123}]}"#, "body.a.1.n", "not_exact"),
        (r#"{"f":3.14159265358979323846}"#, "body.f", "not_exact"),
        (r#"{"a":{"n":1,"n":2}}"#, "body.a.n", "repeated"),
    ] {
        for (method, path) in [("PUT", path.as_str()), ("PATCH", path.as_str())] {
            let refused = send(method, path, text).expect(422);
            assert_eq!(refused.places(), [place], "{}", refused.text);
            assert_eq!(refused.json()["errors"][0]["code"], code);
        }
        let operation = format!(r#"{{"op":"put","collection":"{name}","id":"y","data":{text}}}"#);
        let batch = format!(r#"{{"operations":[{operation}]}}"#);
        let place = place.replace("body", "body.operations.0.data");
        assert_eq!(send("POST", "/api/v1/batch", &batch).expect(422).places(), [place]);
    }
    assert_eq!(server.api().get(&path).expect(200).text, back.text);
}
