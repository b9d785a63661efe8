//! What stands outside of the API document: the reviewed list.

use super::check_problem;
use crate::support::{Answer, Backend, Server, ServerOptions};

type IsRight = fn(&Answer) -> bool;

/// A path, why it is not in the document, and whether its answer is what it must be for everybody.
const OUTSIDE: [(&str, &str, IsRight); 20] = [
    ("/health", "for load balancers: says nothing but whether traffic is wanted", is_word),
    ("/health/live", "for orchestrators: says nothing but that the process runs", is_word),
    ("/health/ready", "for orchestrators: says nothing but whether backends answer", is_word),
    (
        "/api/health/",
        "for people and monitors: names no hosts, users or errors of backends",
        is_report,
    ),
    ("/.well-known/jwks.json", "RFC 7517: public keys, for who verifies tokens", is_key_set),
    ("/.well-known/openid-configuration", "OpenID discovery: addresses only", is_discovery),
    ("/setup", "a page; makes the first administrator for who has the one-time token", is_gone),
    ("/unsubscribe", "a page; ends mails for who has the token in one", is_page),
    ("/verify-email", "a page; works for who has a mailed one-time token", is_page),
    ("/reset-password", "a page; works for who has a mailed one-time token", is_page),
    ("/docs", "a page: the API document, for people", is_page),
    ("/redoc", "a page: the API document, for people", is_page),
    ("/openapi.json", "the document itself", is_document),
    ("/console", "a page: the same for everybody, it asks the API as who has signed in", is_page),
    ("/console/", "the same page", is_page),
    ("/console/{*place}", "the same page", is_page),
    ("/console/assets/{version}/{*file}", "files of that page, by their names", is_missing),
    ("/console/session", "who has signed in, for who has the cookies", is_refused),
    ("/console/session/renew", "POST only: new tokens, for who has the cookies", is_no_method),
    ("/console/session/end", "POST only: ends the session of the cookies", is_no_method),
];

fn is_word(answer: &Answer) -> bool {
    answer.status == 200 && answer.json().as_object().is_some_and(|object| object.len() == 1)
}

fn is_report(answer: &Answer) -> bool {
    let report = answer.json();
    let names: Vec<&str> =
        report.as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect();
    answer.status == 200
        && names.iter().all(|n| ["status", "version", "role", "uptime_s", "checks"].contains(n))
}

fn is_key_set(answer: &Answer) -> bool {
    let keys = answer.json()["keys"].as_array().cloned().unwrap_or_default();
    // Of a private key there would be d, p, q, dp, dq and qi.
    let is_public = |key: &serde_json::Value| {
        ["d", "p", "q", "dp", "dq", "qi"].iter().all(|n| key.get(n).is_none())
    };
    answer.status == 200 && !keys.is_empty() && keys.iter().all(is_public)
}

fn is_discovery(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["issuer"].is_string()
}

fn is_gone(answer: &Answer) -> bool {
    answer.status == 410
}

fn is_missing(answer: &Answer) -> bool {
    answer.status == 404
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == 401
}

fn is_no_method(answer: &Answer) -> bool {
    answer.status == 405
}

fn is_page(answer: &Answer) -> bool {
    answer.status == 200 && answer.header("content-type").starts_with("text/html")
}

fn is_document(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["openapi"].is_string()
}

/// The page of all routes, to see that this list is complete.
const ROUTES: &str = include_str!("../../../../http/src/routes.rs");

#[test]
fn what_is_outside_of_the_document_is_what_was_reviewed() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let document = server.api().get("/openapi.json").expect(200).json();
    for (path, reason, is_right) in OUTSIDE {
        assert!(document["paths"].get(path).is_none(), "{path} is documented now: no exception");
        let apis = [
            server.api(),
            server.api().with("authorization", "Bearer a.b.c"),
            server.user(),
            server.admin(),
        ];
        for api in apis {
            let answer = api.get(path);
            assert!(is_right(&answer), "{path} ({reason}): {} {}", answer.status, answer.text);
            let answer = api.delete(path);
            assert_eq!(answer.status, 405, "{path}");
            check_problem(path, &answer);
        }
    }
}

#[test]
fn no_route_is_missing_in_the_document_or_in_the_list() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let document = server.api().get("/openapi.json").expect(200).json();
    let mut seen = 0;
    for path in ROUTES.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/')) {
        let is_listed = OUTSIDE.iter().any(|(listed, _, _)| *listed == path);
        assert!(is_listed || document["paths"].get(path).is_some(), "{path} is nowhere");
        seen += 1;
    }
    assert!(seen >= 37, "{seen}: the page of all routes reads differently now");
    for listed in OUTSIDE.map(|(path, _, _)| path) {
        assert!(ROUTES.contains(&format!("\"{listed}\"")), "{listed} is no route any more");
    }
}

#[test]
fn without_docs_they_are_gone() {
    let server =
        Server::start(&ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__DOCS", "false"));
    for path in ["/docs", "/redoc", "/openapi.json"] {
        let answer = server.api().get(path).expect(404);
        check_problem(path, &answer);
    }
}
