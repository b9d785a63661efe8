//! What `/metrics` shows is what the reference says, and nothing that clients send makes a label.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use outrigger_testkit::{eventually, wait_until};
use serde_json::json;

use crate::support::{HalfRequest, Server, on_each_backend, unique};

/// The kinds of tasks that other tests may have run on the same server.
const KINDS: [&str; 7] = [
    "noop",
    "account.mail",
    "email.send",
    "http.request",
    "notification.mail",
    "records.export",
    "records.import",
];

/// A row of the reference: type, the values of each label in words, and what CloudWatch has it by.
pub(crate) struct Row {
    kind: String,
    labels: BTreeMap<String, String>,
    pub(crate) sets: BTreeSet<Vec<String>>,
}

/// The reference, from the binary that is asked.
pub(crate) fn reference(server: &Server) -> BTreeMap<String, Row> {
    let (succeeded, text) = server.run(&["metrics"]);
    assert!(succeeded, "{text}");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, kind, _, labels, sets, meaning, _] = cells[..] else { panic!("{line}") };
        assert!(!meaning.is_empty(), "{line}");
        let label = |text: &str| {
            let (name, values) = text.split_once(": ").expect("a label and its values");
            (name.replace('`', ""), values.to_owned())
        };
        let labels = labels.split("; ").filter(|text| !text.is_empty()).map(label).collect();
        let sets = sets.replace('`', "");
        let sets = sets.split("; ").map(|set| set.split(", ").map(str::to_owned).collect());
        (name.replace('`', ""), Row { kind: kind.to_owned(), labels, sets: sets.collect() })
    };
    text.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

/// A line of `/metrics`: name, and labels with their values.
fn sample(line: &str) -> (&str, BTreeMap<&str, &str>) {
    let Some((name, rest)) = line.split_once('{') else {
        return (line.split(' ').next().unwrap_or_default(), BTreeMap::new());
    };
    // No value has a quote in it, which the comparison with the reference shows.
    let pairs = rest.rsplit_once('}').expect("the end of the labels").0.split("\",");
    let pairs = pairs.filter_map(|pair| pair.trim_end_matches('"').split_once("=\""));
    (name, pairs.collect())
}

/// Much of what clients may send, so that a label made of it would be seen.
pub(crate) fn ask_for_everything(server: &Server) {
    let api = server.api();
    let rules = json!({"read": "public", "create": "public"});
    let name = server.collection(&json!({"rules": rules, "unique": ["n"]}));
    let (email, login) = server.new_login();
    let user = api.with_token(login["access_token"].as_str().expect("a token"));
    for word in [unique("word-"), "%ff".to_owned(), "a%22b".to_owned(), "x".repeat(300)] {
        api.get(&format!("/api/v1/records/{word}/{word}"));
        api.get(&format!("/{word}?{word}={word}"));
        api.with("user-agent", &word).get(&format!("/api/v1/records/{name}/{word}"));
        user.get(&format!("/api/v1/users/{word}"));
        api.login(&word, &word);
        api.with_token(&word).get("/api/v1/users/me");
        api.post("/api/v1/auth/refresh", &json!({"refresh_token": word}));
    }
    for method in ["BREW", "PROPFIND", "TRACE", "PATCH"] {
        HalfRequest::begin(server.port, method, "/api/v1/users/me", "").answer();
    }
    api.login(&email, "not-the-password").expect(401);
    let refresh = json!({"refresh_token": login["refresh_token"]});
    api.post("/api/v1/auth/refresh", &refresh).expect(200);
    api.post("/api/v1/auth/refresh", &refresh).expect(401);
    let path = format!("/api/v1/records/{name}");
    api.post(&path, &json!({"n": 1})).expect(201);
    api.post(&path, &json!({"n": 1})).expect(409);
}

fn each_metric_stands_in_the_reference(server: &Server) {
    ask_for_everything(server);
    let reference = reference(server);
    let document = server.api().get("/openapi.json").expect(200).json();
    let paths: BTreeSet<String> =
        document["paths"].as_object().expect("paths").keys().cloned().collect();
    let text = server.internal().get("/metrics").expect(200).text;
    let mut types = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let [_, _, name, kind] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(reference.get(name).map(|row| row.kind.as_str()), Some(kind), "{line}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not described");
        types.insert(name, kind);
    }
    assert!(types.len() > 10, "{types:?}");
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, mut labels) = sample(line);
        let parts = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        let family = parts.filter(|name| types.get(name) == Some(&"histogram")).unwrap_or(name);
        let row = reference.get(family).unwrap_or_else(|| panic!("not in the reference: {line}"));
        if types[family] == "histogram" {
            labels.remove("le");
        }
        assert!(labels.keys().copied().eq(row.labels.keys().map(String::as_str)), "{line}");
        for (label, value) in labels {
            let is_known = match label {
                "route" => value == "none" || paths.contains(value) || is_built_in(value),
                "status" => value.len() == 3 && value.parse::<u16>().is_ok(),
                "queue" => value == "default" || value == "other",
                "kind" if KINDS.contains(&value) => row.labels[label].contains("kinds of tasks"),
                _ => row.labels[label].split([',', ' ']).any(|word| word == value),
            };
            assert!(is_known, "{label} has another value: {line}");
        }
    }
}

/// Routes that are served but not part of the API document.
fn is_built_in(route: &str) -> bool {
    let pages = [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/setup",
        "/unsubscribe",
        "/verify-email",
        "/reset-password",
    ];
    let folders = ["/health", "/.well-known/", "/console"];
    pages.contains(&route) || folders.iter().any(|folder| route.starts_with(folder))
}

on_each_backend!(each_metric_stands_in_the_reference);

/// Until it has succeeded.
pub(crate) fn run_a_task(server: &Server) {
    let task = json!({"kind": "noop", "payload": {}});
    let answer = server.admin().post("/api/v1/tasks", &task).expect(202);
    let events = server.admin().get(&format!("{}/events", answer.header("location"))).expect(200);
    assert!(events.text.contains("succeeded"), "{}", events.text);
}

/// One that is counted, and a file.
fn send_an_event_and_a_file(server: &Server) {
    let event = json!({"id": unique("measured-"), "name": "measured"});
    let user = server.user();
    user.post("/api/v1/analytics/events", &json!({"events": [event]})).expect(202);
    let file = Some(("text/plain", "words".to_owned()));
    user.send("POST", "/api/v1/files?name=words.txt", file).expect(201);
    let metrics = || server.internal().get("/metrics").expect(200).text;
    let is_counted = || metrics().contains("\noutrigger_events_counted_total ");
    wait_until("the event is counted", Duration::from_secs(60), is_counted).expect("it is");
}

/// Each line of the reference is there for a reason: all that needs no fault is shown by a server.
#[test]
fn each_line_of_the_reference_is_shown() {
    let servers = [crate::support::on_sqlite(), crate::support::on_postgres_and_redis()];
    let mut left: BTreeSet<String> = reference(servers[0]).into_keys().collect();
    for server in servers {
        ask_for_everything(server);
        run_a_task(server);
        send_an_event_and_a_file(server);
    }
    // Those of a store, or of a collector of traces, that neither has.
    let elsewhere = ["outrigger_dynamodb_", "outrigger_mongodb_", "outrigger_spans_"];
    left.retain(|name| !elsewhere.iter().any(|backend| name.starts_with(backend)));
    // What is counted only when something goes wrong, which it may on a server that others use too.
    for fault in [
        "outrigger_files_sweep_failures_total",
        "outrigger_files_swept_total",
        "outrigger_http_requests_shed_total",
        "outrigger_redis_reconnects_total",
    ] {
        assert!(left.remove(fault), "{fault} does not stand in the reference");
    }
    // Some are told of only now and then.
    eventually("each is shown", Duration::from_secs(60), || {
        for server in servers {
            let text = server.internal().get("/metrics").expect(200).text;
            left.retain(|name| !text.contains(&format!("# TYPE {name} ")));
        }
        anyhow::ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .unwrap();
}
