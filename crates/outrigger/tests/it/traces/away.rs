//! A collector that is away, slow or refuses costs spans, which are counted, and no request.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use outrigger_testkit::{Receiver, TempDir, wait_until};

use super::{PATIENCE, traced};
use crate::support::{Api, Backend, Server, ServerOptions};

/// Requests of one round.
const REQUESTS: usize = 100;
const ROUNDS: usize = 4;

/// A port that takes connections and breaks them.
fn breaking() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    port
}

/// How long a round takes.
fn round(api: &Api) -> Duration {
    let started = Instant::now();
    for _ in 0..REQUESTS {
        api.get("/api/v1/users/me").expect(200);
    }
    started.elapsed()
}

fn count(server: &Server, line: &str) -> u64 {
    let text = server.internal().get("/metrics").expect(200).text;
    let value = text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok());
    value.unwrap_or(0)
}

#[test]
fn a_collector_that_hangs_breaks_or_refuses_slows_no_request() {
    let (silent, busy) = (Receiver::start().unwrap(), Receiver::start().unwrap());
    for _ in 0..1_000 {
        silent.stay_silent();
        busy.answer("503 Busy", "");
    }
    let urls = [
        silent.url(""),
        busy.url(""),
        format!("http://127.0.0.1:{}", breaking()),
        // Nobody listens there.
        "http://127.0.0.1:9".to_owned(),
    ];
    let on_sqlite = || ServerOptions::on(Backend::Sqlite);
    let plain = Server::start(&on_sqlite());
    let traced: Vec<Server> =
        urls.iter().map(|url| Server::start(&traced(on_sqlite(), url))).collect();
    let baseline = plain.user();
    let users: Vec<Api> = traced.iter().map(Server::user).collect();
    // In turns, as this machine has much else to do; the best of each counts.
    let mut fastest = vec![Duration::MAX; users.len() + 1];
    for _ in 0..ROUNDS {
        for (fastest, api) in fastest.iter_mut().zip(std::iter::once(&baseline).chain(&users)) {
            *fastest = (*fastest).min(round(api));
        }
    }
    let most = fastest[0] * 4 + Duration::from_secs(1);
    for (took, url) in fastest[1..].iter().zip(&urls) {
        assert!(*took < most, "{took:?} with {url}, {:?} without traces", fastest[0]);
    }
    for server in &traced {
        let lost = || count(server, "outrigger_spans_dropped_total{reason=\"away\"}") > 0;
        wait_until("spans are counted as dropped", PATIENCE, lost).unwrap();
        assert_eq!(count(server, "outrigger_spans_exported_total"), 0);
        let log = server.process.log();
        assert_eq!(log.matches("spans cannot be sent").count(), 1, "it is said once: {log}");
    }
    // Nor does it keep a process from ending.
    for server in &traced {
        assert!(server.terminate().success(), "{}", server.process.log());
    }
}

#[test]
fn a_collector_that_comes_back_gets_spans_again() {
    let collector = Receiver::start().unwrap();
    (0..3).for_each(|_| collector.answer("503 Busy\r\nRetry-After: 0", ""));
    let server = Server::start(&traced(ServerOptions::on(Backend::Sqlite), &collector.url("")));
    let user = server.user();
    let asked = || {
        user.get("/api/v1/users/me").expect(200);
        count(&server, "outrigger_spans_exported_total") > 0
    };
    wait_until("spans are taken", PATIENCE, asked).unwrap();
    assert!(count(&server, "outrigger_spans_dropped_total{reason=\"away\"}") > 0);
    let log = server.process.log();
    assert!(log.contains("spans cannot be sent") && log.contains("spans can be sent again"));
}

#[test]
fn doctor_says_whether_spans_are_taken_and_headers_are_shown_nowhere() {
    let collector = Receiver::start().unwrap();
    let folder = TempDir::new("traces").unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "authorization=Basic%20aHVudGVyMg==\n").unwrap();
    let reference = format!("file://{}", file.display());
    let options = traced(ServerOptions::on(Backend::Sqlite), &collector.url("/otlp/"));
    let options = options.set("OTEL_EXPORTER_OTLP_HEADERS", &reference);
    let run = |arguments: &[&str]| crate::support::run(&options, folder.path(), arguments, "");
    let (migrated, said) = run(&["migrate", "apply"]);
    assert!(migrated, "{said}");
    let doctor = || run(&["doctor"]);
    let (succeeded, said) = doctor();
    let is_ok = |line: &str| line.starts_with("ok") && line.contains("traces");
    assert!(succeeded && said.lines().any(is_ok), "{said}");
    let asked = collector.received().pop().unwrap();
    assert_eq!(asked.path, "/otlp/v1/traces");
    assert_eq!(asked.header("authorization"), "Basic aHVudGVyMg==");
    for (answer, words) in [
        ("401 Unauthorized", "traces: the collector answered 401: look at traces.headers"),
        ("404 Not Found", "is http://127.0.0.1"),
        ("503 Busy", "traces: the collector answered 503"),
    ] {
        collector.answer(answer, "");
        let (succeeded, said) = doctor();
        assert!(!succeeded && said.contains(words), "{said}");
        assert!(!said.contains("aHVudGVyMg"), "{said}");
    }
    let (_, shown) = run(&["config", "show"]);
    assert!(shown.contains("headers = \"***\"") && !shown.contains("aHVudGVyMg"), "{shown}");
}
