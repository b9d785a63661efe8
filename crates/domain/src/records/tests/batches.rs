//! Batches of clients.

use outrigger_kernel::ErrorKind;
use serde_json::{Value, json};

use super::super::{BatchInput, BatchResult, Records};
use super::{Bench, admin, nobody, open_rules, user};
use crate::tasks::TaskQuery;

async fn run(bench: &Bench, operations: Value) -> outrigger_kernel::Result<BatchResult> {
    let input: BatchInput = serde_json::from_value(json!({"operations": operations})).unwrap();
    bench.records.batch(&admin(), &input, None).await
}

async fn bench() -> Bench {
    let bench = Bench::new();
    bench.define("a", json!({"rules": open_rules(), "unique": ["k"]})).await;
    bench.define("b", json!({"rules": {"create": "user", "update": "owner"}})).await;
    bench.put("a", "one", json!({"n": 1})).await;
    bench
}

#[tokio::test]
async fn all_operations_happen_and_caches_follow() {
    let bench = bench().await;
    assert_eq!(bench.data("a", "one").await, json!({"n": 1}));
    let done = run(
        &bench,
        json!([
            {"op": "put", "collection": "a", "id": "one", "data": {"n": 2}, "if_version": 1},
            {"op": "put", "collection": "b", "data": {}},
            {"op": "check", "collection": "a", "id": "none", "if_version": 0},
        ]),
    )
    .await
    .unwrap();
    let versions: Vec<u64> = done.results.iter().map(|result| result.version).collect();
    assert_eq!(versions, [2, 1, 0]);
    assert_eq!(bench.data("a", "one").await, json!({"n": 2}));
    assert_eq!(bench.data("b", &done.results[1].id).await, json!({}));
}

#[tokio::test]
async fn one_that_fails_undoes_all_and_is_named() {
    let bench = bench().await;
    let put = json!({"op": "put", "collection": "a", "id": "two", "data": {"k": 1}});
    for (second, kind, place) in [
        (
            json!({"op": "check", "collection": "a", "id": "one", "if_version": 9}),
            ErrorKind::PreconditionFailed,
            "operation 1",
        ),
        (
            json!({"op": "delete", "collection": "a", "id": "none"}),
            ErrorKind::NotFound,
            "operation 1",
        ),
        (
            json!({"op": "put", "collection": "a", "id": "x y", "data": {}}),
            ErrorKind::Invalid,
            "body.operations.1.id",
        ),
        (
            json!({"op": "put", "collection": "a", "id": "z", "data": 3}),
            ErrorKind::Invalid,
            "body.operations.1.data",
        ),
        (
            json!({"op": "put", "collection": "a", "id": "two", "data": {}}),
            ErrorKind::Invalid,
            "body.operations.1.id",
        ),
        (
            json!({"op": "put", "collection": "none", "data": {}}),
            ErrorKind::NotFound,
            "operation 1",
        ),
        (
            json!({"op": "put", "collection": "a", "id": "z", "data": {"k": 1}}),
            ErrorKind::Conflict,
            "",
        ),
    ] {
        let error = run(&bench, json!([put, second])).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(place), "{error} lacks {place}");
        assert!(bench.records.read(&admin(), "a", "two").await.is_err());
    }
}

#[tokio::test]
async fn each_operation_needs_its_rule() {
    let bench = bench().await;
    let input = |data: Value| -> BatchInput {
        serde_json::from_value(json!({"operations": [
            {"op": "put", "collection": "b", "id": "mine", "data": data},
        ]}))
        .unwrap()
    };
    let anonymous = bench.records.batch(&nobody(), &input(json!({})), None).await.unwrap_err();
    assert_eq!(anonymous.kind(), ErrorKind::Unauthenticated);
    bench.records.batch(&user("usr_1"), &input(json!({})), None).await.unwrap();
    let foreign = bench.records.batch(&user("usr_2"), &input(json!({})), None).await.unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_repeated_key_commits_once() {
    let bench = bench().await;
    let input: BatchInput = serde_json::from_value(json!({"operations": [
        {"op": "put", "collection": "a", "data": {}},
    ]}))
    .unwrap();
    let first = bench.records.batch(&admin(), &input, Some("k")).await.unwrap();
    let second = bench.records.batch(&admin(), &input, Some("k")).await.unwrap();
    assert_eq!(first.results[0].id, second.results[0].id);
}

#[tokio::test]
async fn tasks_are_enqueued_when_the_operations_happen_and_only_then() {
    let bench = bench().await;
    let task = json!({"kind": "noop", "payload": {}, "unique_key": "k", "delay_s": 60});
    let input = |version: u64| -> BatchInput {
        let put =
            json!({"op": "put", "collection": "a", "id": "one", "data": {}, "if_version": version});
        serde_json::from_value(json!({"operations": [put], "tasks": [task]})).unwrap()
    };
    let records = &bench.records;
    let refused = records.batch(&admin(), &input(7), None).await.unwrap_err();
    assert_eq!(refused.code(), "if_version_failed");
    assert!(waiting(records).await.is_empty());
    let done = records.batch(&admin(), &input(1), Some("key")).await.unwrap();
    assert_eq!(waiting(records).await, done.tasks);
    let again = records.batch(&admin(), &input(1), Some("key")).await.unwrap();
    assert_eq!((&again.tasks, waiting(records).await.len()), (&done.tasks, 1));
    let taken = records.batch(&admin(), &input(2), None).await.unwrap_err();
    assert_eq!(taken.code(), "not_unique");
    assert!(taken.to_string().contains("task"), "{taken}");
    assert_eq!(bench.data("a", "one").await, json!({}));
    let user = records.batch(&user("usr_1"), &input(2), None).await.unwrap_err();
    assert_eq!(user.kind(), ErrorKind::Forbidden);
}

async fn waiting(records: &Records) -> Vec<String> {
    let page = outrigger_kernel::PageRequest { limit: 10, ..Default::default() };
    let found = records.tasks.list(&admin(), &TaskQuery::default(), &page).await.unwrap();
    found.items.into_iter().map(|task| task.id).collect()
}

#[tokio::test]
async fn what_a_task_lacks_is_named() {
    let bench = bench().await;
    let put = json!({"op": "put", "collection": "a", "data": {}});
    let input = json!({"operations": [put], "tasks": [{"kind": "noop"}, {"kind": "no.such"}]});
    let input: BatchInput = serde_json::from_value(input).unwrap();
    let error = bench.records.batch(&admin(), &input, None).await.unwrap_err();
    assert_eq!(error.fields()[0].loc.join("."), "body.tasks.0.payload");
}
