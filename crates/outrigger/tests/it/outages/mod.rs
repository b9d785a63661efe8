//! What happens when a backend is away, stands still, is full, or there is too much to do.

mod cut_off;
mod disk;
mod overload;
mod postgres;
mod queue;
mod redis;
mod revoked;

use std::time::{Duration, Instant};

use outrigger_testkit::wait_until;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Server};

/// Longest time for a backend's state to be noticed.
const NOTICED: Duration = Duration::from_secs(60);

fn token(login: &Value) -> &str {
    login["access_token"].as_str().expect("a token")
}

/// The value of a metric whose name and labels contain all of `parts`, summed.
pub(crate) fn metric(server: &Server, parts: &[&str]) -> f64 {
    let text = server.internal().get("/metrics").expect(200).text;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter(|line| parts.iter().all(|part| line.contains(part)));
    found.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// The state of one dependency in the report for people.
fn check(server: &Server, dependency: &str) -> String {
    let report = server.api().get("/api/health/").json();
    report["checks"][dependency]["status"].as_str().unwrap_or("none").to_owned()
}

fn wait_for_check(server: &Server, dependency: &str, state: &str) {
    let what = format!("{dependency} {state}");
    wait_until(&what, NOTICED, || check(server, dependency) == state).expect("it is noticed");
}

/// A collection that everybody may use.
fn public_collection(server: &Server) -> String {
    server.collection(&json!({"rules":
        {"list": "public", "read": "public", "create": "public", "update": "public", "delete": "public"}}))
}

/// The answer, and how long it took.
fn timed(call: impl FnOnce() -> Answer) -> (Answer, Duration) {
    let started = Instant::now();
    let answer = call();
    (answer, started.elapsed())
}

type Request<'a> = &'a dyn Fn() -> Answer;

/// One of each kind of request that must go on without Redis; each within `each`. Signs in as
/// `email`, whose sessions are not looked at, and asks with `token`, which is of somebody else.
fn everything_works(server: &Server, collection: &str, email: &str, token: &str, each: Duration) {
    let api: Api = server.api();
    let user = api.with_token(token);
    let path = format!("/api/v1/records/{collection}/one");
    let calls: [(&str, Request<'_>, &[u16]); 6] = [
        ("authenticated", &|| user.get("/api/v1/users/me"), &[200]),
        ("write", &|| api.put(&path, &json!({"n": 1})), &[200, 201]),
        ("read", &|| api.get(&path), &[200]),
        ("list", &|| api.get(&format!("/api/v1/records/{collection}")), &[200]),
        ("login", &|| api.login(email, Server::password()), &[200]),
        ("refused", &|| api.login(email, "not-the-password"), &[401]),
    ];
    for (name, call, expected) in calls {
        let (answer, took) = timed(call);
        assert!(expected.contains(&answer.status), "{name}: {} {}", answer.status, answer.text);
        assert!(took < each, "{name} took {took:?}");
    }
}
