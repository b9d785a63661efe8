//! One record at a time: rules, preconditions, versions, cache.

use outrigger_kernel::{ErrorKind, PageRequest};
use serde_json::{Value, json};

use super::super::{Preconditions, Source};
use super::{Bench, admin, nobody, open_rules, user, with_role};
use crate::audit::Action;

fn any() -> Preconditions {
    Preconditions::default()
}

fn if_match(tag: &str) -> Preconditions {
    Preconditions { if_match: Some(tag.to_owned()), if_none_match: None }
}

#[tokio::test]
async fn a_record_is_created_read_from_the_cache_changed_and_deleted() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let records = &bench.records;
    let made = records.create(&user("usr_1"), "notes", br#"{"b":1,"a":"x"}"#, None).await.unwrap();
    let view: Value = serde_json::from_slice(&made.json).unwrap();
    assert_eq!(view["data"], json!({"a": "x", "b": 1}));
    assert_eq!(view["created_by"], "usr_1");
    assert_eq!(view["version"], 1);
    let first = records.read(&nobody(), "notes", &made.id).await.unwrap();
    assert_eq!(first.source, Source::StoreThenCached);
    let second = records.read(&nobody(), "notes", &made.id).await.unwrap();
    assert_eq!(second.source, Source::Cache);
    assert_eq!(second.json, made.json);
    assert_eq!(second.etag.to_string(), made.etag);
    let patch = br#"{"b":null,"c":{"d":true}}"#;
    let changed = records
        .patch(&user("usr_2"), "notes", &made.id, patch, &if_match(&made.etag))
        .await
        .unwrap();
    assert_ne!(changed.etag, made.etag);
    let after = records.read(&nobody(), "notes", &made.id).await.unwrap();
    let view: Value = serde_json::from_slice(&after.json).unwrap();
    assert_eq!(view["data"], json!({"a": "x", "c": {"d": true}}));
    assert_eq!((view["version"].as_u64(), view["created_by"].as_str()), (Some(2), Some("usr_1")));
    records.delete(&nobody(), "notes", &made.id, &any()).await.unwrap();
    let gone = records.read(&nobody(), "notes", &made.id).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_idempotency_key_makes_no_record_too_large() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let body = json!({"a": vec!["a"; 60_000]}).to_string();
    assert!(body.len() > 240_000 - 10);
    let create = async |key| bench.records.create(&nobody(), "notes", body.as_bytes(), key).await;
    let without = create(None).await.unwrap();
    let with = create(Some("k")).await.unwrap();
    assert_eq!(with.json.len(), without.json.len());
    let again = create(Some("k")).await.unwrap();
    assert_eq!((again.id, again.json), (with.id, with.json));
}

#[tokio::test]
async fn preconditions_hold_or_nothing_changes() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let records = &bench.records;
    let create_only = Preconditions { if_match: None, if_none_match: Some("*".into()) };
    let made = records.replace(&admin(), "notes", "a", b"{}", &create_only).await.unwrap();
    assert!(made.is_new);
    let again = records.replace(&admin(), "notes", "a", b"{}", &create_only).await.unwrap_err();
    assert_eq!(again.code(), "if_none_match_failed");
    let stale = if_match("\"1-0\"");
    for error in [
        records.replace(&admin(), "notes", "a", b"{\"x\":1}", &stale).await.unwrap_err(),
        records.patch(&admin(), "notes", "a", b"{\"x\":1}", &stale).await.unwrap_err(),
        records.delete(&admin(), "notes", "a", &stale).await.unwrap_err(),
        records.delete(&admin(), "notes", "b", &stale).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
    }
    assert_eq!(bench.data("notes", "a").await, json!({}));
}

#[tokio::test]
async fn a_record_made_again_does_not_come_back_to_an_old_tag() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let old = bench.records.replace(&admin(), "notes", "a", b"{}", &any()).await.unwrap();
    bench.records.delete(&admin(), "notes", "a", &any()).await.unwrap();
    bench.clock.advance(std::time::Duration::from_micros(1));
    bench.put("notes", "a", json!({})).await;
    let error =
        bench.records.delete(&admin(), "notes", "a", &if_match(&old.etag)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test]
async fn rules_decide_and_hide() {
    let bench = Bench::new();
    let rules =
        json!({"read": "owner", "create": "user", "update": "role:editor", "delete": "admin"});
    bench.define("notes", json!({"rules": rules})).await;
    let records = &bench.records;
    let kind = |result: outrigger_kernel::Result<super::super::Saved>| result.unwrap_err().kind();
    assert_eq!(
        kind(records.create(&nobody(), "notes", b"{}", None).await),
        ErrorKind::Unauthenticated
    );
    let made = records.create(&user("usr_1"), "notes", b"{}", None).await.unwrap();
    let id = made.id.as_str();
    assert!(records.read(&user("usr_1"), "notes", id).await.is_ok());
    let foreign = records.read(&user("usr_2"), "notes", id).await.unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::NotFound);
    let anonymous = records.read(&nobody(), "notes", id).await.unwrap_err();
    assert_eq!(anonymous.kind(), ErrorKind::Unauthenticated);
    let patched = records.patch(&user("usr_1"), "notes", id, b"{}", &any()).await;
    assert_eq!(kind(patched), ErrorKind::Forbidden);
    assert!(records.patch(&with_role("usr_3", "editor"), "notes", id, b"{}", &any()).await.is_ok());
    let deleted = records.delete(&user("usr_1"), "notes", id, &any()).await.unwrap_err();
    assert_eq!(deleted.kind(), ErrorKind::Forbidden);
    let listed = super::super::ListRequest::parse(std::iter::empty()).unwrap();
    let listed = records.list(&user("usr_1"), "notes", &listed).await.unwrap_err();
    assert_eq!(listed.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn bad_data_is_named_and_changes_nothing() {
    let bench = Bench::new();
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}, "due": {"type": "string", "format": "date-time"}}});
    bench
        .define("notes", json!({"rules": open_rules(), "schema": schema, "indexes": ["tag", "due"], "unique": ["slug"]}))
        .await;
    let fault = async |body: &str| {
        let error = bench
            .records
            .replace(&admin(), "notes", "a", body.as_bytes(), &any())
            .await
            .unwrap_err();
        (error.code(), error.fields().first().map(|f| f.loc.join(".")))
    };
    assert_eq!(fault("[1]").await, ("validation_failed", Some("body".into())));
    assert_eq!(fault(r#"{"n":"x"}"#).await, ("validation_failed", Some("body.n".into())));
    assert_eq!(fault(r#"{"tag":[1]}"#).await, ("validation_failed", Some("body.tag".into())));
    assert_eq!(fault(r#"{"due":"soon"}"#).await, ("validation_failed", Some("body.due".into())));
    let long = json!({"tag": "x".repeat(600)}).to_string();
    assert_eq!(fault(&long).await, ("validation_failed", Some("body.tag".into())));
    assert_eq!(fault("{").await.0, "malformed_json");
    let large = json!({"text": "x".repeat(250 * 1024)}).to_string();
    assert_eq!(fault(&large).await.0, "record_too_large");
    bench.put("notes", "b", json!({"slug": "s"})).await;
    assert_eq!(fault(r#"{"slug":"s"}"#).await.0, "not_unique");
    assert!(bench.records.read(&admin(), "notes", "a").await.is_err());
}

#[tokio::test]
async fn a_repeated_key_creates_once_and_another_body_is_refused() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let records = &bench.records;
    let first = records.create(&user("u"), "notes", b"{\"a\":1}", Some("k")).await.unwrap();
    let second = records.create(&user("u"), "notes", b"{\"a\":1}", Some("k")).await.unwrap();
    assert_eq!(first, second);
    let other = records.create(&user("u"), "notes", b"{\"a\":2}", Some("k")).await.unwrap_err();
    assert_eq!(other.fields()[0].code, "key_reused");
    let else_where = records.create(&user("v"), "notes", b"{\"a\":1}", Some("k")).await.unwrap();
    assert_ne!(first.id, else_where.id);
    let ctx = user("u");
    let (a, b) = tokio::join!(
        records.create(&ctx, "notes", b"{}", Some("z")),
        records.create(&ctx, "notes", b"{}", Some("z")),
    );
    assert_eq!(a.unwrap(), b.unwrap());
}

#[tokio::test]
async fn what_administrators_do_to_records_is_in_the_audit_log() {
    let bench = Bench::new();
    bench.define("notes", json!({"rules": open_rules()})).await;
    let records = &bench.records;
    let boss = with_role("usr_boss", "admin");
    let made = records.create(&boss, "notes", br#"{"a":1}"#, None).await.unwrap();
    records.patch(&user("usr_1"), "notes", &made.id, br#"{"a":2}"#, &any()).await.unwrap();
    records.patch(&boss, "notes", &made.id, br#"{"a":3}"#, &any()).await.unwrap();
    let put = json!({"operations": [{"op": "put", "collection": "notes", "id": "b", "data": {}}]});
    let put = serde_json::from_value(put).unwrap();
    records.batch(&boss, &put, None).await.unwrap();
    records.delete(&boss, "notes", &made.id, &any()).await.unwrap();
    let page = PageRequest { limit: 100, cursor: None };
    let mut log = records.audit.list(&boss, &page).await.unwrap().items;
    log.retain(|entry| entry.actor == "usr_boss");
    let find = |action, is_new: bool| {
        let mut of = log.iter().filter(|e| e.action == action && e.before.is_none() == is_new);
        let entry = of.next().unwrap();
        assert!(of.next().is_none(), "{action:?}");
        entry
    };
    let created = find(Action::RecordChanged, true);
    let changed = find(Action::RecordChanged, false);
    let deleted = find(Action::RecordDeleted, false);
    let target = format!("notes/{}", made.id);
    for entry in [created, changed, deleted] {
        assert_eq!(entry.target.as_deref(), Some(target.as_str()));
    }
    assert_ne!(changed.before, created.after, "somebody else has changed it meanwhile");
    assert_eq!((&deleted.before, &deleted.after), (&changed.after, &None));
    let batch = find(Action::RecordsChanged, true);
    assert_eq!(batch.details["operations"][0]["id"], "b");
    assert_eq!(log.len(), 4);
}
