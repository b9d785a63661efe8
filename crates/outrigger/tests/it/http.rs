//! What holds for every request: ids, headers, bounds, errors.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Answer, Backend, HalfRequest, Server, ServerOptions, on_each_backend};

/// So long the rest of a request is thrown away that was answered before all of it had come.
const REST_WITHIN: Duration = Duration::from_secs(2);

on_each_backend!(
    every_answer_names_its_request_and_what_is_left,
    paths_and_methods_that_are_not_there_are_problems,
    too_long_is_refused_by_name,
    the_api_is_described_offline,
    the_document_is_kept_until_a_definition_changes,
    cors_is_off_unless_configured,
);

fn every_answer_names_its_request_and_what_is_left(server: &Server) {
    let answer = server.api().with("x-request-id", "abc-123").get("/api/v1/users/me").expect(401);
    assert_eq!(answer.header("x-request-id"), "abc-123");
    assert_eq!(answer.json()["request_id"], "abc-123");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let own = server.api().with("x-request-id", "not valid!").get("/health").expect(200);
    assert!(own.header("x-request-id").len() >= 16 && own.header("x-request-id") != "not valid!");
    let limited = server.user().get("/api/v1/users/me").expect(200);
    assert!(limited.header("ratelimit").starts_with("\"default\";r="), "{limited:?}");
    assert_eq!(limited.header("ratelimit-policy"), "\"default\";q=1000000;w=60");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(limited.header(name), value);
    }
}

fn paths_and_methods_that_are_not_there_are_problems(server: &Server) {
    assert_eq!(server.api().get("/nowhere").expect(404).code(), "no_such_route");
    let wrong = server.api().delete("/api/v1/auth/login").expect(405);
    assert_eq!((wrong.code().as_str(), wrong.header("allow")), ("method_not_allowed", "POST"));
    server.api().with_token("not.a.token").get("/api/v1/users/me").expect(401);
    server.api().with("authorization", "Basic YTpi").get("/api/v1/users/me").expect(401);
}

fn too_long_is_refused_by_name(server: &Server) {
    let query = server.api().get(&format!("/api/v1/collections?x={}", "y".repeat(9_000)));
    assert_eq!(query.expect(413).code(), "query_too_long");
    let long = |bytes: usize| format!("x-long: {}\r\n", "y".repeat(bytes));
    let many =
        |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat();
    for (headers, status) in [
        (long(16_000), 200),
        (many(98), 200),
        (long(16_400), 431),
        (long(40_000), 431),
        (many(99), 431),
    ] {
        for path in ["/health", "/openapi.json"] {
            let headers = format!("host: x\r\nconnection: close\r\n{headers}");
            let answer = exchange(server, &format!("GET {path} HTTP/1.1\r\n{headers}\r\n"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
            assert!(answer.contains("\r\nx-request-id: "), "{answer}");
            assert_eq!(
                answer.contains("\"code\":\"headers_too_large\""),
                status == 431,
                "{answer}"
            );
        }
    }
    // What is far beyond is not even read.
    let headers = format!("host: x\r\n{}", long(200_000));
    let answer = exchange(server, &format!("GET /health HTTP/1.1\r\n{headers}\r\n"));
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// Sends these bytes over a connection of their own; what comes back until its end.
fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let _closed_early = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn the_api_is_described_offline(server: &Server) {
    for (path, word) in [("/docs", "SwaggerUIBundle"), ("/redoc", "Redoc.init")] {
        let page = server.api().get(path).expect(200);
        assert!(page.text.contains(word));
        assert!(page.header("content-security-policy").contains("script-src 'sha256-"));
        assert!(!page.text.contains("<script src=\"http"), "{path} needs another host");
    }
    let document = server.api().get("/openapi.json").expect(200).json();
    assert!(document["paths"]["/api/v1/auth/login"]["post"].is_object());
}

fn cors_is_off_unless_configured(server: &Server) {
    let answer = server.api().with("origin", "https://app.example").get("/health").expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn cors_allows_the_configured_origins_only() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__CORS_ORIGINS", "https://app.example");
    let server = Server::start(&options);
    let allowed = |origin: &str| {
        let answer = server.api().with("origin", origin).get("/api/v1/users/me");
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(allowed("https://app.example"), "https://app.example");
    assert_eq!(allowed("https://evil.example"), "");
    let preflight = |origin: &str| {
        let api = server.api().with("origin", origin);
        let api = api.with("access-control-request-method", "PATCH");
        let headers = "authorization,content-type,if-match,traceparent,x-request-id";
        let api = api.with("access-control-request-headers", headers);
        api.send("OPTIONS", "/api/v1/users/me", None).expect(200)
    };
    let answer = preflight("https://app.example");
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert!(answer.header("access-control-allow-methods").contains("PATCH"), "{answer:?}");
    let headers = answer.header("access-control-allow-headers").to_lowercase();
    for header in ["authorization", "content-type", "if-match", "traceparent", "x-request-id"] {
        assert!(headers.split(',').any(|allowed| allowed.trim() == header), "{header}: {headers}");
    }
    assert_eq!(preflight("https://evil.example").header("access-control-allow-origin"), "");
}

#[test]
fn pages_of_allowed_origins_see_every_answer() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__CORS_ORIGINS", "https://app.example")
        .set("OUTRIGGER__HTTP__CONCURRENCY_MAX", "1")
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "120");
    let hasty = Server::start(&options.clone().set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "1"));
    let server = Server::start(&options);
    let api = server.api().with("origin", "https://app.example");
    let seen = |answer: &Answer| {
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
        assert!(answer.header("access-control-expose-headers").contains("retry-after"));
    };
    seen(&api.get("/nowhere").expect(404));
    seen(&api.get(&format!("/api/v1/collections?x={}", "y".repeat(9_000))).expect(413));
    seen(&api.with("x-long", &"y".repeat(17_000)).get("/health").expect(431));
    let origin = "origin: https://app.example\r\n";
    let begin = |server: &Server| {
        HalfRequest::begin_with(server.port, "POST", "/api/v1/auth/login", "{\"a\": 1}", origin)
    };
    let _held = begin(&server);
    server.wait_until_in_flight(1);
    let answer = api.get("/api/v1/users/me").expect(503);
    assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("overloaded", "1"));
    seen(&answer);
    let (status, answer) = begin(&hasty).answer();
    assert!(status == 408 && answer.contains("allow-origin: https://app.example"), "{answer}");
}

#[test]
fn who_sends_too_much_gets_the_answer_and_no_reset() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let body = "x".repeat(3_000_000);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut answered = 0;
    while answered < 20 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let began = Instant::now();
        write!(stream, "{head}content-length: {}\r\n\r\n", body.len()).unwrap();
        let sent = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        // The rest is waited for no longer: a machine that stood still meanwhile shows nothing.
        if began.elapsed() >= REST_WITHIN {
            continue;
        }
        sent.expect("all of it is taken");
        read.expect("the answer to its end");
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"),
            "{answer}"
        );
        answered += 1;
    }
    // Who does not stop is not heard for ever.
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    write!(stream, "{head}content-length: 1000000000\r\n\r\n").unwrap();
    let sent = (0..100).find(|_| stream.write_all(body.as_bytes()).is_err());
    assert!(sent.is_some(), "300 MB are taken");
}

#[test]
fn a_slow_client_is_let_go() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__HEADER_TIMEOUT_S", "1")
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "2");
    let server = Server::start(&options);
    let mut idle = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost").unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    let mut body = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    body.write_all(head).unwrap();
    let mut answer = String::new();
    body.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("\"request_timeout\""),
        "{answer}"
    );
}

#[test]
fn an_idle_connection_is_kept_for_longer_than_a_head_may_take() {
    let keeping = |keep_alive_s: &str| {
        let options = ServerOptions::on(Backend::Sqlite)
            .set("OUTRIGGER__HTTP__HEADER_TIMEOUT_S", "1")
            .set("OUTRIGGER__HTTP__KEEP_ALIVE_S", keep_alive_s);
        Server::start(&options)
    };
    let (long, short) = (keeping("120"), keeping("10"));
    let connect = |server: &Server| TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: 2\r\n\r\n{{}}");
    let answered = |stream: &mut TcpStream| {
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(None).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 422"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.and_then(|length| length.parse::<usize>().ok()).expect("its length");
        stream.read_exact(&mut vec![0; length]).expect("all of the answer");
    };
    // Neither a new connection nor one that was used is closed in twice the time for a head.
    let mut stream = connect(&long);
    for _ in 0..2 {
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let kept = stream.read(&mut [0]).expect_err("nothing comes, nor the end");
        assert!(matches!(kept.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kept}");
        answered(&mut stream);
    }
    // From the first byte of the next request on, there is only the time for a head.
    stream.set_read_timeout(None).unwrap();
    let started = Instant::now();
    stream.write_all(b"POST /api").unwrap();
    let _closed = stream.read(&mut [0]);
    let took = started.elapsed();
    assert!((0.8..60.0).contains(&took.as_secs_f64()), "a begun head is waited for {took:?}");
    let mut idle = connect(&short);
    answered(&mut idle);
    idle.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(idle.read(&mut [0]).expect("the end"), 0, "an idle one is closed in the end");
}

#[test]
fn callers_are_told_apart_and_limited_alone() {
    let options =
        ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "20");
    let server = Server::start(&options);
    let (one, two) = (server.user(), server.user());
    // The 21st, but that one comes back every three seconds.
    let mut asked = (0..1_000).map(|_| one.get("/api/v1/users/me"));
    let refused = asked.find(|answer| answer.status == 429).expect("a refusal");
    assert_eq!(refused.code(), "rate_limited");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(refused.header("ratelimit").contains("r=0"), "{refused:?}");
    two.get("/api/v1/users/me").expect(200);
    server.api().get("/health").expect(200);
    assert_eq!(json!(null), server.api().get("/health").json()["code"]);
}

#[test]
fn what_is_outside_of_the_document_is_counted_too_but_not_health() {
    let options =
        ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "10");
    let server = Server::start(&options);
    let paths = [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
    ];
    for round in 0..4 {
        for path in paths {
            let answer = server.api().get(path);
            let expected = if round < 2 { 200 } else { 429 };
            // A minute has sixty seconds, and one comes back every six.
            assert!(answer.status == expected || round > 1, "{path} in round {round}");
            assert!(!answer.header("ratelimit").is_empty(), "{path}");
        }
    }
    let refused = (0..1_000).map(|_| server.api().get("/openapi.json")).find(|a| a.status == 429);
    assert_eq!(refused.expect("a refusal").code(), "rate_limited");
    server.api().get("/health").expect(200);
}

fn the_document_is_kept_until_a_definition_changes(server: &Server) {
    let document = || server.api().get("/openapi.json").expect(200);
    assert_eq!(document().header("content-type"), "application/json");
    let name = server.collection(&json!({}));
    let path = format!("/api/v1/records/{name}");
    // On SQLite alone, and on each thread of the process, at once.
    for _ in 0..20 {
        assert!(document().json()["paths"][&path].is_object());
    }
    server.admin().delete(&format!("/api/v1/collections/{name}")).expect(204);
    for _ in 0..20 {
        assert!(document().json()["paths"][&path].is_null());
    }
}

#[test]
fn the_document_is_not_made_for_each_request() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__THREADS", "2");
    let server = Server::start_with(&options, &["--roles", "api"]);
    let queries = || {
        let text = server.internal().get("/metrics").expect(200).text;
        let name = "outrigger_store_operation_seconds_count{operation=\"query\"}";
        let line = text.lines().find(|line| line.starts_with(name)).expect("the metric");
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    server.api().get("/openapi.json").expect(200);
    let (began, before) = (Instant::now(), queries());
    for _ in 0..300 {
        server.api().get("/openapi.json").expect(200);
    }
    // One a second and thread, and what goes on in the background, for as long as that took.
    let (made, took) = (queries() - before, began.elapsed());
    assert!(made < 150.0 + 20.0 * took.as_secs_f64(), "{made} queries in {took:?}");
}

#[test]
fn a_refusal_speaks_of_the_limit_that_refused() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "3");
    let server = Server::start(&options);
    let login = || server.api().login("somebody@example.com", "not-the-password");
    let passed = login().expect(401);
    assert!(passed.header("ratelimit").starts_with("\"default\";r=99"), "{passed:?}");
    let refused =
        (0..1_000).map(|_| login()).find(|answer| answer.status == 429).expect("a refusal");
    let after = refused.header("retry-after");
    assert_eq!(refused.header("ratelimit"), format!("\"tries\";r=0;t={after}"));
    assert_eq!(refused.header("ratelimit-policy"), "\"tries\";q=3;w=60");
}

#[test]
fn only_the_exposed_services_have_routes() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__SERVICES", "auth,users");
    let server = Server::start(&options);
    server.user().get("/api/v1/users/me").expect(200);
    assert_eq!(server.admin().get("/api/v1/collections").expect(404).code(), "no_such_route");
    let account_pages = ["/setup", "/verify-email", "/reset-password"];
    for path in account_pages {
        assert_ne!(server.api().get(path).status, 404, "{path}");
    }
    server.api().get("/unsubscribe").expect(404);
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__SERVICES", "records");
    let records = Server::start(&options);
    for path in account_pages.iter().chain(&["/unsubscribe"]) {
        assert_eq!(records.api().get(path).expect(404).code(), "no_such_route", "{path}");
        records.api().send("POST", path, None).expect(404);
    }
    records.api().get("/.well-known/jwks.json").expect(200);
}
