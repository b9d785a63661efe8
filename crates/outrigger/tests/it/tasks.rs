//! Tasks over HTTP.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Backend, Server, ServerOptions, dead, on_each_backend, unique, until};

on_each_backend!(
    a_task_runs_and_is_followed,
    what_cannot_be_enqueued_is_named,
    a_repeated_enqueue_with_a_key_is_one_task,
    a_unique_key_is_taken_whether_or_not_the_request_has_a_key,
    a_taken_unique_key_in_a_batch_is_told,
    a_task_that_waits_is_cancelled_and_begun_again,
    many_dead_tasks_begin_again,
    only_administrators_enqueue,
);

fn a_task_runs_and_is_followed(server: &Server) {
    let admin = server.admin();
    let body = json!({"kind": "noop", "payload": {"echo": {"n": 1}, "sleep_ms": 300}});
    let answer = admin.post("/api/v1/tasks", &body).expect(202);
    let (path, task) = (answer.header("location").to_owned(), answer.json());
    assert_eq!(path, format!("/api/v1/tasks/{}", task["id"].as_str().unwrap()));
    assert_eq!((&task["status"], &task["attempts"]), (&json!("queued"), &json!(0)));
    let events = admin.get(&format!("{path}/events")).expect(200);
    assert!(events.header("content-type").starts_with("text/event-stream"));
    assert!(events.text.contains("\"status\":\"succeeded\""), "{}", events.text);
    let done = until(&admin, &path, "succeeded");
    assert_eq!((&done["result"], &done["attempts"]), (&json!({"n": 1}), &json!(1)));
    let listed = admin.get("/api/v1/tasks?status=succeeded&kind=noop&limit=100").expect(200);
    let listed = listed.json();
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
    assert!(ids.contains(&&task["id"]), "{ids:?}");
}

fn what_cannot_be_enqueued_is_named(server: &Server) {
    let admin = server.admin();
    for (body, place) in [
        (json!({"kind": "no.such"}), "body.kind"),
        (json!({"kind": "noop", "payload": {"sleep_ms": "long"}}), "body.payload.sleep_ms"),
        (json!({"kind": "noop", "payload": {"other": 1}}), "body.payload.other"),
        (json!({"kind": "noop", "payload": {}, "priority": 10}), "body.priority"),
        (json!({"kind": "noop", "payload": {}, "queue": "A B"}), "body.queue"),
        (json!({"kind": "noop", "payload": {}, "colour": "red"}), "body.colour"),
        (
            json!({"kind": "noop", "payload": {}, "delay_s": 1, "run_at": "2030-01-01T00:00:00Z"}),
            "body.run_at",
        ),
    ] {
        let answer = admin.post("/api/v1/tasks", &body).expect(422);
        assert_eq!(answer.places(), [place], "{body}: {}", answer.text);
    }
    let unknown = admin.post("/api/v1/tasks", &json!({"kind": "no.such"})).expect(422);
    assert!(unknown.text.contains("noop"), "the known kinds are named: {}", unknown.text);
    admin.get("/api/v1/tasks/tsk_none").expect(404);
    assert_eq!(admin.get("/api/v1/tasks?status=odd").expect(422).places(), ["query.status"]);
}

fn a_repeated_enqueue_with_a_key_is_one_task(server: &Server) {
    let admin = server.admin().with("idempotency-key", &unique("task-"));
    let body = json!({"kind": "noop", "payload": {}, "delay_s": 600});
    let first = admin.post("/api/v1/tasks", &body).expect(202).json();
    assert_eq!(admin.post("/api/v1/tasks", &body).expect(202).json(), first);
    let other = json!({"kind": "noop", "payload": {}, "delay_s": 601});
    admin.post("/api/v1/tasks", &other).expect(422);
}

fn a_unique_key_is_taken_whether_or_not_the_request_has_a_key(server: &Server) {
    let admin = server.admin();
    let body = json!({"kind": "noop", "payload": {}, "delay_s": 600, "unique_key": unique("k-")});
    let [one, other] =
        [unique("one-"), unique("other-")].map(|key| admin.with("idempotency-key", &key));
    let first = one.post("/api/v1/tasks", &body).expect(202);
    for _ in 0..2 {
        assert_eq!(other.post("/api/v1/tasks", &body).expect(409).code(), "not_unique");
        assert_eq!(admin.post("/api/v1/tasks", &body).expect(409).code(), "not_unique");
        assert_eq!(one.post("/api/v1/tasks", &body).expect(202).text, first.text);
    }
    let path = first.header("location");
    admin.post(&format!("{path}/cancel"), &json!({})).expect(200);
    let second = other.post("/api/v1/tasks", &body).expect(202);
    assert_ne!(second.header("location"), path);
    assert_eq!(other.post("/api/v1/tasks", &body).expect(202).text, second.text);
    assert_eq!(admin.get(second.header("location")).expect(200).json()["status"], "scheduled");
    assert_eq!(one.post("/api/v1/tasks", &body).expect(202).text, first.text);
}

fn a_taken_unique_key_in_a_batch_is_told(server: &Server) {
    let admin = server.admin();
    let collection = format!("/api/v1/collections/{}", unique("keyed_").replace('-', "_"));
    admin.put(&collection, &json!({})).expect(201);
    let name = collection.rsplit('/').next().unwrap();
    let task = json!({"kind": "noop", "payload": {}, "delay_s": 600, "unique_key": unique("k-")});
    let batch = |id: &str| {
        let put = json!({"op": "put", "collection": name, "id": id, "data": {}});
        admin.post("/api/v1/batch", &json!({"operations": [put], "tasks": [task]}))
    };
    let first = batch("a").expect(200).json()["tasks"][0].clone();
    let second = batch("b");
    let record = admin.get(&format!("/api/v1/records/{name}/b"));
    if second.status == 409 {
        assert_eq!(second.code(), "not_unique");
        record.expect(404);
        return;
    }
    record.expect(200);
    let id = second.expect(200).json()["tasks"][0].clone();
    let task = admin.get(&format!("/api/v1/tasks/{}", id.as_str().unwrap())).expect(200).json();
    assert_eq!(
        (&task["status"], &task["error"]["code"]),
        (&json!("cancelled"), &json!("not_unique"))
    );
    let message = task["error"]["message"].as_str().unwrap();
    assert!(message.contains(first.as_str().unwrap()), "{message}");
}

fn a_task_that_waits_is_cancelled_and_begun_again(server: &Server) {
    let admin = server.admin();
    let body = json!({"kind": "noop", "payload": {}, "delay_s": 600, "unique_key": unique("k-")});
    let answer = admin.post("/api/v1/tasks", &body).expect(202);
    let path = answer.header("location").to_owned();
    assert_eq!(answer.json()["status"], "scheduled");
    assert_eq!(admin.post("/api/v1/tasks", &body).expect(409).code(), "not_unique");
    let retry = admin.post(&format!("{path}/retry"), &json!({})).expect(409);
    assert_eq!(retry.code(), "task_not_finished");
    let cancelled = admin.post(&format!("{path}/cancel"), &json!({})).expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    admin.post(&format!("{path}/retry"), &json!({})).expect(200);
    let done = until(&admin, &path, "succeeded");
    assert_eq!(done["attempts"], 1, "a replay has all its attempts again");
    let late = admin.post(&format!("{path}/cancel"), &json!({})).expect(409);
    assert_eq!(late.code(), "task_finished");
}

fn many_dead_tasks_begin_again(server: &Server) {
    let (admin, queue) = (server.admin(), unique("dead-"));
    let paths = dead(&admin, &queue, 3);
    let mut ask = json!({"queue": queue, "limit": 2});
    let retry = |ask: &Value| admin.post("/api/v1/tasks/retry", ask).expect(200).json();
    let first = retry(&ask);
    assert_eq!(first["retried"], 2);
    ask["cursor"] = first["next_cursor"].clone();
    assert_eq!(retry(&ask), json!({"retried": 1, "next_cursor": null}));
    for path in &paths {
        let task = admin.get(path).expect(200).json();
        assert_eq!((&task["status"], &task["attempts"]), (&json!("queued"), &json!(0)), "{task}");
    }
    assert_eq!(retry(&json!({"queue": queue})), json!({"retried": 0, "next_cursor": null}));
    for (ask, place) in [
        (json!({"status": "succeeded"}), "body.status"),
        (json!({"limit": 101}), "body.limit"),
        (json!({"cursor": "elsewhere"}), "body.cursor"),
        (json!({"colour": "red"}), "body.colour"),
    ] {
        let answer = admin.post("/api/v1/tasks/retry", &ask).expect(422);
        assert_eq!(answer.places(), [place], "{}", answer.text);
    }
}

fn only_administrators_enqueue(server: &Server) {
    let (_, login) = server.new_login();
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    user.post("/api/v1/tasks", &json!({"kind": "noop", "payload": {}})).expect(403);
    let body = json!({"kind": "noop", "payload": {}, "delay_s": 600});
    let path =
        server.admin().post("/api/v1/tasks", &body).expect(202).header("location").to_owned();
    user.get(&path).expect(404);
    user.post(&format!("{path}/cancel"), &json!({})).expect(404);
    user.get("/api/v1/queues").expect(403);
}

/// With encrypted payloads, what a task was given is in no file of the database, yet workers have it.
#[test]
fn encrypted_payloads_are_seen_by_workers_only() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__TASKS__ENCRYPT_PAYLOADS", "true")
        .set("OUTRIGGER__TASKS__EXTERNAL_KINDS", "letter.write");
    let server = Server::start(&options);
    let admin = server.admin();
    let body =
        json!({"kind": "letter.write", "queue": "letters", "payload": {"to": "Hina-of-the-tides"}});
    let task = admin.post("/api/v1/tasks", &body).expect(202).json();
    assert_eq!(task["payload"], json!(null));
    let lease = json!({"kinds": ["letter.write"], "lease_s": 600});
    let leased = admin.post("/api/v1/queues/letters/lease", &lease).expect(200).json();
    assert_eq!(leased["items"][0]["payload"], body["payload"]);
    for file in files(server.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(17).any(|part| part == b"Hina-of-the-tides");
        assert!(!found, "{}", file.display());
    }
    let noop = json!({"kind": "noop", "payload": {"echo": "here"}});
    let path = admin.post("/api/v1/tasks", &noop).expect(202).header("location").to_owned();
    assert_eq!(until(&admin, &path, "succeeded")["result"], "here");
}

/// All files below a folder; a socket is none.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let each = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    each.filter(|path| path.is_file()).collect()
}
