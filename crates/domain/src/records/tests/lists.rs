//! Lists: filters, sorts, cursors, and what no index serves.

use std::borrow::Cow;
use std::time::Duration;

use outrigger_kernel::{Ctx, Result};
use serde_json::{Value, json};

use super::super::{ListRequest, RecordPage};
use super::{Bench, admin, open_rules, user};

async fn list(bench: &Bench, ctx: &Ctx, query: &[(&str, &str)]) -> Result<RecordPage> {
    let pairs = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value)));
    bench.records.list(ctx, "items", &ListRequest::parse(pairs)?).await
}

fn ids(page: &RecordPage) -> Vec<String> {
    let id = |item: &bytes::Bytes| {
        serde_json::from_slice::<Value>(item).unwrap()["id"].as_str().unwrap().to_owned()
    };
    page.items.iter().map(id).collect()
}

async fn found(bench: &Bench, query: &[(&str, &str)]) -> Vec<String> {
    ids(&list(bench, &admin(), query).await.unwrap())
}

async fn shelf() -> Bench {
    let bench = Bench::new();
    let schema = json!({"type": "object", "properties": {
        "n": {"type": "number"}, "due": {"format": "date-time"}, "code": {"type": "string"},
    }});
    let definition = json!({
        "schema": schema, "rules": open_rules(), "unique": ["slug"],
        "indexes": ["n", "due", "code", "status,created_at", "nested.x", "mixed"],
    });
    bench.define("items", definition).await;
    for (id, data) in [
        (
            "a",
            json!({"n": 10, "status": "open", "code": "007", "due": "2026-01-01T10:00:00+08:00", "slug": "x"}),
        ),
        (
            "b",
            json!({"n": 9.5, "status": "open", "code": "7", "due": "2026-01-01T03:00:00Z", "mixed": "5"}),
        ),
        ("c", json!({"n": -1, "status": "done", "code": "é", "nested": {"x": true}, "mixed": 5})),
        ("d", json!({"status": "open", "code": "a\u{0}b"})),
    ] {
        bench.put("items", id, data).await;
        bench.clock.advance(Duration::from_secs(1));
    }
    bench
}

#[tokio::test]
async fn filters_compare_by_the_type_of_the_schema() {
    let bench = shelf().await;
    assert_eq!(found(&bench, &[]).await, ["a", "b", "c", "d"]);
    assert_eq!(found(&bench, &[("n[gt]", "9")]).await, ["b", "a"]);
    assert_eq!(found(&bench, &[("n[lte]", "9.5"), ("sort", "-n")]).await, ["b", "c"]);
    assert_eq!(found(&bench, &[("n", "null")]).await, ["d"]);
    assert_eq!(found(&bench, &[("code", "7")]).await, ["b"]);
    assert_eq!(found(&bench, &[("code[prefix]", "a\0")]).await, ["d"]);
    assert_eq!(found(&bench, &[("due[gte]", "2026-01-01T02:30:00Z")]).await, ["b"]);
    assert_eq!(found(&bench, &[("due", "2026-01-01T02:00:00Z")]).await, ["a"]);
    assert_eq!(found(&bench, &[("nested.x", "true")]).await, ["c"]);
    assert_eq!(found(&bench, &[("mixed", "5")]).await, ["c"]);
    assert_eq!(found(&bench, &[("mixed", "\"5\"")]).await, ["b"]);
    assert_eq!(found(&bench, &[("slug", "x")]).await, ["a"]);
    assert_eq!(found(&bench, &[("id[gt]", "b")]).await, ["c", "d"]);
}

#[tokio::test]
async fn an_index_over_two_fields_serves_a_filter_and_a_sort() {
    let bench = shelf().await;
    let open = [("status", "open"), ("sort", "-created_at")];
    assert_eq!(found(&bench, &open).await, ["d", "b", "a"]);
    let since = [("status", "open"), ("created_at[gte]", "2027-01-15T08:00:02Z")];
    let since = found(&bench, &since).await;
    assert_eq!(since, ["b", "d"]);
    assert_eq!(found(&bench, &[("status", "open"), ("n[gt]", "9.9")]).await, ["a"]);
}

#[tokio::test]
async fn what_no_index_serves_is_named() {
    let bench = shelf().await;
    for (query, place) in [
        (("title", "x"), "query.title"),
        (("sort", "title"), "query.sort"),
        (("sort", "created_at"), "query.sort"),
        (("sort", "n,-due"), "query.sort"),
        (("n", "many"), "query.n"),
        (("due[prefix]", "2026"), "query.due"),
        (("n[like]", "1"), "query.n[like]"),
        (("limit", "101"), "query.limit"),
        (("limit", "0"), "query.limit"),
        (("cursor", "!!"), "query.cursor"),
        (("cursor", "AAAA"), "query.cursor"),
    ] {
        let error = list(&bench, &admin(), &[query]).await.unwrap_err();
        assert_eq!(error.fields()[0].loc.join("."), place, "{query:?}: {error}");
    }
}

#[tokio::test]
async fn cursors_stay_valid_while_records_come_and_go() {
    let bench = Bench::new();
    bench.define("items", json!({"rules": open_rules(), "indexes": ["n"]})).await;
    for n in 0..50 {
        bench.put("items", &format!("r{n:03}"), json!({"n": n % 5})).await;
    }
    let mut cursor: Option<String> = None;
    let mut seen = Vec::new();
    for round in 0.. {
        let mut query = vec![("sort", "n"), ("limit", "7")];
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page = list(&bench, &admin(), &query).await.unwrap();
        seen.extend(ids(&page).into_iter().filter(|id| id.starts_with('r')));
        bench.put("items", &format!("new{round}"), json!({"n": round % 5})).await;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let mut expected: Vec<String> = (0..50).map(|n| format!("r{n:03}")).collect();
    expected.sort_by_key(|id| (id[1..].parse::<u32>().unwrap() % 5, id.clone()));
    assert_eq!(seen, expected);
    let first = list(&bench, &admin(), &[("limit", "7")]).await.unwrap().next_cursor.unwrap();
    let other = list(&bench, &admin(), &[("sort", "n"), ("cursor", &first)]).await.unwrap_err();
    assert_eq!(other.fields()[0].code, "invalid_cursor");
}

#[tokio::test]
async fn owners_list_their_own() {
    let bench = Bench::new();
    let definition =
        json!({"rules": {"list": "owner", "create": "user"}, "indexes": ["created_by,n", "n"]});
    bench.define("items", definition).await;
    for (owner, n) in [("usr_a", 1), ("usr_b", 2), ("usr_a", 3)] {
        let body = json!({"n": n}).to_string();
        bench.records.create(&user(owner), "items", body.as_bytes(), None).await.unwrap();
    }
    let numbers = async |ctx: &Ctx, query: &[(&str, &str)]| -> Vec<i64> {
        let page = list(&bench, ctx, query).await.unwrap();
        let number = |i: &bytes::Bytes| {
            serde_json::from_slice::<Value>(i).unwrap()["data"]["n"].as_i64().unwrap()
        };
        page.items.iter().map(number).collect()
    };
    assert_eq!(numbers(&user("usr_a"), &[("sort", "-n")]).await, [3, 1]);
    assert_eq!(numbers(&user("usr_b"), &[]).await, [2]);
    assert_eq!(numbers(&user("usr_b"), &[("n[gte]", "1")]).await, [2]);
    assert_eq!(numbers(&admin(), &[("sort", "n")]).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_filter_beside_the_index_looks_at_a_bounded_number_of_records() {
    let bench = Bench::new();
    bench.define("items", json!({"rules": open_rules(), "indexes": ["a", "b"]})).await;
    for n in 0..1_500 {
        bench.put("items", &format!("{n:05}"), json!({"a": 1, "b": n})).await;
    }
    let query = [("a", "1"), ("b[gte]", "0"), ("sort", "a"), ("limit", "3")];
    assert_eq!(found(&bench, &query).await.len(), 3);
    let mut sparse = vec![("a", "1"), ("b", "1499"), ("sort", "a")];
    let page = list(&bench, &admin(), &sparse).await.unwrap();
    assert!(page.items.is_empty(), "{page:?}");
    let cursor = page.next_cursor.unwrap();
    sparse.push(("cursor", &cursor));
    let page = list(&bench, &admin(), &sparse).await.unwrap();
    assert_eq!((ids(&page), page.next_cursor), (vec!["01499".to_owned()], None));
}
