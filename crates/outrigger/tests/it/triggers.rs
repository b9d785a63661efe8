//! Triggers: a change of a record and the task that follows from it are one.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use outrigger_testkit::Receiver;
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, on_each_backend, on_sqlite, until};

const WRITERS: usize = 4;
/// How long the tasks of acknowledged writes may be on their way.
const PATIENCE: Duration = Duration::from_secs(60);

on_each_backend!(a_record_and_its_task_are_both_there_or_neither);

/// The events in the tasks that wait, of which there will be so many at least.
fn events(admin: &Api, least: usize) -> Vec<Value> {
    let (started, mut all) = (Instant::now(), Vec::new());
    loop {
        let body = json!({"kinds": ["note.changed"], "limit": 100, "wait_s": 1, "lease_s": 600});
        let leased = admin.post("/api/v1/queues/default/lease", &body).expect(200).json();
        let items = leased["items"].as_array().unwrap();
        if items.is_empty() && (all.len() >= least || started.elapsed() > PATIENCE) {
            return all;
        }
        all.extend(items.iter().map(|task| task["payload"]["data"].clone()));
    }
}

/// Many change one record and make others, and most are refused: what was acknowledged, and nothing
/// else, has its task.
fn a_record_and_its_task_are_both_there_or_neither(server: &Server) {
    let (admin, writes) = (server.admin(), if server.is_on_emulator() { 8 } else { 25 });
    let notes = server.collection(&json!({
        "unique": ["slot"],
        "triggers": [{"on": ["create", "update", "delete"], "kind": "note.changed"}],
    }));
    let path = format!("/api/v1/records/{notes}");
    let acknowledged = Mutex::new(Vec::new());
    let write = |writer: usize| {
        for n in 0..writes {
            let note = |id: &Value, version: &Value| {
                acknowledged.lock().unwrap().push((id.to_string(), version.to_string()));
            };
            // One of the writers has the slot.
            let made = admin.post(&path, &json!({"slot": n}));
            if made.status == 201 {
                let made = made.json();
                note(&made["id"], &made["version"]);
            }
            // One of them finds the version that it expects.
            let one = json!({"op": "put", "collection": notes, "id": "one", "if_version": n,
                             "data": {"by": writer}});
            let done = admin.post("/api/v1/batch", &json!({"operations": [one]}));
            assert!([200, 409, 412].contains(&done.status), "{}", done.text);
            if done.status == 200 {
                let result = &done.json()["results"][0];
                note(&result["id"], &result["version"]);
            }
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let write = &write;
            scope.spawn(move || write(writer));
        }
    });
    admin.delete(&format!("{path}/none")).expect(404);
    let acknowledged = acknowledged.into_inner().unwrap();
    let told: Vec<(String, String)> = events(&admin, acknowledged.len())
        .iter()
        .map(|event| (event["id"].to_string(), event["version"].to_string()))
        .collect();
    assert!(acknowledged.len() > writes, "{}", acknowledged.len());
    assert_eq!(told.len(), acknowledged.len());
    let set = |all: Vec<(String, String)>| all.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(told), set(acknowledged));
}

#[test]
fn a_change_is_told_to_a_webhook_and_by_mail() {
    let options =
        ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__WEBHOOKS__ALLOW_PRIVATE", "true");
    let (server, receiver) = (Server::start(&options), Receiver::start().unwrap());
    let admin = server.admin();
    let orders = server.collection(&json!({"triggers": [
        {"on": ["create"], "kind": "http.request", "payload": {"url": receiver.url("/orders")}},
        {"on": ["create"], "kind": "email.send", "payload": {
            "to": "{{record.email}}", "subject": "Order {{id}}",
            "text": "Dear {{record.name}}, it costs {{record.price}}."}},
    ]}));
    let order = json!({"email": "ann@example.org", "name": "Ann", "price": 5});
    admin.put(&format!("/api/v1/records/{orders}/seven"), &order).expect(201);
    let tasks = |kind: &str| {
        let all = admin.get(&format!("/api/v1/tasks?kind={kind}")).expect(200).json();
        format!("/api/v1/tasks/{}", all["items"][0]["id"].as_str().unwrap())
    };
    until(&admin, &tasks("http.request"), "succeeded");
    let body: Value = serde_json::from_slice(&receiver.received()[0].body).unwrap();
    assert_eq!((&body["event"], &body["id"]), (&json!("create"), &json!("seven")));
    assert_eq!((&body["record"], &body["collection"]), (&order, &json!(orders)));
    let mail = until(&admin, &tasks("email.send"), "succeeded");
    let file = format!("data/mail/{}.eml", mail["id"].as_str().unwrap());
    let kept = std::fs::read_to_string(server.path().join(file)).unwrap();
    assert!(
        kept.contains("To: ann@example.org") && kept.contains("Subject: Order seven"),
        "{kept}"
    );
    assert!(kept.contains("Dear Ann, it costs 5."), "{kept}");
    admin.put(&format!("/api/v1/records/{orders}/eight"), &json!({"name": "Bob"})).expect(201);
    let failed = until(&admin, &tasks("email.send"), "failed");
    assert_eq!(failed["error"]["message"], "payload.to: {{record.email}} has no value");
}

#[test]
fn an_unknown_kind_is_refused_with_those_that_are_known() {
    let admin = on_sqlite().admin();
    let definition = json!({"triggers": [{"on": ["create"], "kind": "no.such"}]});
    let answer = admin.put("/api/v1/collections/triggered", &definition).expect(422);
    assert_eq!(answer.places(), ["body.triggers.0.kind"]);
    assert!(answer.text.contains("email.send, http.request"), "{}", answer.text);
    let definition = json!({"triggers": [{"on": ["create"], "kind": "noop", "payload": {}}]});
    let answer = admin.put("/api/v1/collections/triggered", &definition).expect(422);
    assert_eq!(answer.places(), ["body.triggers.0.payload.data"]);
}
