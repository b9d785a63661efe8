//! Tasks that follow from changes.

use std::time::Duration;

use outrigger_kernel::{ErrorKind, PageRequest, limits};
use serde_json::{Value, json};

use super::super::{BatchInput, Preconditions};
use super::{Bench, admin, open_rules};
use crate::tasks::{LeaseInput, TaskQuery};

const EVERY: [&str; 3] = ["create", "update", "delete"];

/// A bench with a collection that has these triggers.
async fn bench(triggers: Value) -> Bench {
    let bench = Bench::new();
    bench.define("a", json!({"rules": open_rules(), "triggers": triggers})).await;
    bench
}

/// The payloads of the tasks that wait, the first first.
async fn payloads(bench: &Bench) -> Vec<Value> {
    let input = json!({"kinds": ["note.changed", "http.request", "email.send"], "limit": 50});
    let input: LeaseInput = serde_json::from_value(input).unwrap();
    let never = std::future::pending();
    let leased = bench.records.tasks.lease(&admin(), "default", &input, never).await.unwrap();
    let leased = serde_json::to_value(leased).unwrap();
    let tasks = leased["items"].as_array().cloned().unwrap_or_default();
    tasks.into_iter().map(|task| task["payload"].clone()).collect()
}

async fn waiting(bench: &Bench) -> usize {
    let page = PageRequest { limit: 100, ..PageRequest::default() };
    let found = bench.records.tasks.list(&admin(), &TaskQuery::default(), &page).await;
    found.unwrap().items.len()
}

#[tokio::test]
async fn each_change_is_told_with_the_record_as_it_is_or_was() {
    let bench = bench(json!([
        {"on": EVERY, "kind": "note.changed", "payload": {"colour": "red"}},
        {"on": ["delete"], "kind": "http.request", "payload": {"url": "https://example.com/"}},
    ]))
    .await;
    let records = &bench.records;
    let any = Preconditions::default();
    let later = || bench.clock.advance(Duration::from_secs(1));
    records.create(&admin(), "a", br#"{"n": 1}"#, None).await.unwrap();
    later();
    bench.put("a", "one", json!({"n": 2})).await;
    later();
    records.patch(&admin(), "a", "one", br#"{"n": 3}"#, &any).await.unwrap();
    later();
    records.delete(&admin(), "a", "one", &any).await.unwrap();
    let told = payloads(&bench).await;
    let event = |payload: &Value, at: &str| {
        let event = &payload[at];
        (event["event"].clone(), event["version"].clone(), event["record"]["n"].clone())
    };
    let (webhooks, notes): (Vec<Value>, Vec<Value>) =
        told.into_iter().partition(|payload| payload["url"].is_string());
    let notes_told: Vec<_> = notes.iter().map(|note| event(note, "data")).collect();
    assert_eq!(
        notes_told,
        [
            (json!("create"), json!(1), json!(1)),
            (json!("create"), json!(1), json!(2)),
            (json!("update"), json!(2), json!(3)),
            (json!("delete"), json!(2), json!(3)),
        ]
    );
    assert_eq!((&notes[1]["colour"], &notes[1]["data"]["id"]), (&json!("red"), &json!("one")));
    assert_eq!(event(&webhooks[0], "body"), notes_told[3]);
    assert_eq!(webhooks[0]["body"]["collection"], "a");
}

#[tokio::test]
async fn a_change_that_does_not_happen_causes_nothing() {
    let bench = bench(json!([{"on": EVERY, "kind": "note.changed"}])).await;
    let expected =
        Preconditions { if_match: Some("\"7-0\"".to_owned()), ..Preconditions::default() };
    let records = &bench.records;
    let refused = records.replace(&admin(), "a", "one", b"{}", &expected).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    records.delete(&admin(), "a", "one", &Preconditions::default()).await.unwrap_err();
    let input = json!({"operations": [
        {"op": "put", "collection": "a", "id": "one", "data": {}},
        {"op": "check", "collection": "a", "id": "two", "if_version": 1},
    ]});
    let input: BatchInput = serde_json::from_value(input).unwrap();
    records.batch(&admin(), &input, None).await.unwrap_err();
    assert_eq!(waiting(&bench).await, 0);
}

#[tokio::test]
async fn a_batch_causes_the_tasks_of_all_its_changes_once() {
    let bench = bench(json!([{"on": EVERY, "kind": "note.changed"}])).await;
    bench.put("a", "old", json!({"n": 1})).await;
    let input = json!({"operations": [
        {"op": "put", "collection": "a", "id": "new", "data": {"n": 2}},
        {"op": "put", "collection": "a", "id": "old", "data": {"n": 3}},
        {"op": "check", "collection": "a", "id": "none", "if_version": 0},
    ]});
    let input: BatchInput = serde_json::from_value(input).unwrap();
    for _ in 0..2 {
        bench.records.batch(&admin(), &input, Some("key")).await.unwrap();
    }
    let told = payloads(&bench).await;
    let mut events: Vec<String> =
        told.iter().map(|task| task["data"]["event"].to_string()).collect();
    events.sort();
    assert_eq!(events, ["\"create\"", "\"create\"", "\"update\""]);
}

#[tokio::test]
async fn a_batch_with_too_many_tasks_is_refused_as_a_whole() {
    let bench = bench(json!([{"on": EVERY, "kind": "note.changed"}])).await;
    let puts = |count: usize| -> BatchInput {
        let put = |n| json!({"op": "put", "collection": "a", "id": format!("r{n}"), "data": {}});
        let operations: Vec<Value> = (0..count).map(put).collect();
        serde_json::from_value(json!({"operations": operations})).unwrap()
    };
    let most = limits::BATCH_OPERATIONS_MAX / 2;
    let error = bench.records.batch(&admin(), &puts(most + 1), None).await.unwrap_err();
    assert_eq!(error.fields()[0].loc.join("."), "body.operations");
    assert!(error.fields()[0].message.contains("9 operations and 9 tasks"), "{error:?}");
    assert_eq!(waiting(&bench).await, 0);
    bench.records.batch(&admin(), &puts(most), Some("key")).await.unwrap();
    assert_eq!(waiting(&bench).await, most);
}

#[tokio::test]
async fn a_record_too_large_for_a_payload_is_left_out_of_it() {
    let bench = bench(json!([{"on": ["create"], "kind": "note.changed"}])).await;
    let text = "x".repeat(limits::TASK_PAYLOAD_BYTES_MAX);
    bench.put("a", "large", json!({"text": text})).await;
    let told = payloads(&bench).await.remove(0);
    assert_eq!((&told["data"]["record"], &told["data"]["is_cut"]), (&Value::Null, &json!(true)));
    assert_eq!(told["data"]["id"], "large");
}

#[tokio::test]
async fn a_definition_that_would_not_work_is_refused_with_its_place() {
    let bench = Bench::new();
    let webhook = json!({"url": "https://example.com/"});
    let mail = json!({"to": "{{record.email}}", "subject": "s", "text": "t"});
    for (trigger, place, part) in [
        (
            json!({"on": ["create"], "kind": "no.such"}),
            "kind",
            "known are email.send, http.request",
        ),
        (json!({"on": [], "kind": "note.changed"}), "on", "at least one"),
        (json!({"on": ["create"], "kind": "http.request"}), "payload.url", "required"),
        (json!({"on": ["create"], "kind": "noop"}), "payload.data", "not known"),
        (
            json!({"on": ["create"], "kind": "http.request", "payload": {"url": "https://a.example", "body": 1}}),
            "payload.body",
            "leave it out",
        ),
        (json!({"on": ["create"], "kind": "note.changed", "queue": "No!"}), "queue", "a name is"),
    ] {
        let definition = json!({"triggers": [
            {"on": ["create"], "kind": "http.request", "payload": webhook},
            {"on": ["create"], "kind": "email.send", "payload": mail},
            trigger,
        ]});
        let input = serde_json::from_value(definition).unwrap();
        let error = bench.records.put_collection(&admin(), "a", input).await.unwrap_err();
        let fault = &error.fields()[0];
        assert_eq!(fault.loc.join("."), format!("body.triggers.2.{place}"), "{error:?}");
        assert!(fault.message.contains(part), "{}", fault.message);
    }
    let trigger = json!({"on": ["create"], "kind": "note.changed"});
    let many = vec![trigger; limits::TRIGGERS_MAX + 1];
    let input = serde_json::from_value(json!({"triggers": many})).unwrap();
    let error = bench.records.put_collection(&admin(), "a", input).await.unwrap_err();
    assert_eq!(error.fields()[0].loc.join("."), "body.triggers");
}
