//! What is in a trace: who has called whom, and nothing that a user has sent.

use outrigger_testkit::{Receiver, Rotel, SmtpServer, SmtpServerOptions, SpanSink, wait_until};
use serde_json::{Value, json};

use super::{PATIENCE, one, trace, traced};
use crate::support::{Backend, Server, ServerOptions, unique, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A trace of somebody who records it.
fn caller() -> String {
    format!("00-{TRACE}-{CALLER}-01")
}

fn a_request_its_task_and_its_mail_are_one_trace(backend: Backend) {
    let sink = SpanSink::start().unwrap();
    let smtp = SmtpServer::start(SmtpServerOptions::default()).unwrap();
    let options = ServerOptions::on(backend)
        .set("MAIL_URL", &format!("smtp://127.0.0.1:{}", smtp.port()))
        .set("OUTRIGGER__MAIL__FROM", "shop@example.com")
        .set("OTEL_SERVICE_NAME", "shop");
    let server = Server::start(&traced(options, &sink.url()));
    let api = server.admin().with("traceparent", &caller()).with("x-request-id", "req-7");
    let mail = json!({"to": "ann@example.org", "subject": "Order 7", "text": "On its way."});
    let body = json!({"kind": "email.send", "payload": mail});
    let path = api.post("/api/v1/tasks?secret=hunter2", &body).expect(202);
    let path = path.header("location").to_owned();
    let task = until(&server.admin(), &path, "succeeded");
    assert_eq!(smtp.taken().unwrap().len(), 1);

    let spans = trace(&sink, TRACE, &["http.tasks.create", "job.email.send", "mail.send"]);
    let request = one(&spans, "http.tasks.create");
    assert_eq!((request.parent.as_str(), request.kind, &request.error), (CALLER, 2, &None));
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/v1/tasks"),
        ("http.response.status_code", "202"),
        ("outrigger.request.id", "req-7"),
    ] {
        assert_eq!(request.attributes.get(name).map(String::as_str), Some(value), "{request:?}");
    }
    let resource = |name: &str| request.resource.get(name).cloned().unwrap_or_default();
    assert_eq!(resource("service.name"), "shop");
    assert_eq!(resource("service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(resource("outrigger.roles"), "api+worker+scheduler");
    let replicas = server.admin().get("/api/v1/replicas").expect(200).json();
    assert_eq!(replicas["items"][0]["name"], resource("service.instance.id"), "{replicas}");

    let job = one(&spans, "job.email.send");
    assert_eq!((job.parent.as_str(), job.kind, &job.error), (request.id.as_str(), 5, &None));
    assert_eq!(job.links, [(TRACE.to_owned(), request.id.clone())]);
    assert_eq!(json!(job.attributes["messaging.message.id"]), task["id"]);
    let mail = one(&spans, "mail.send");
    assert_eq!((mail.parent.as_str(), mail.kind), (job.id.as_str(), 3));
    // What the task is told to its workers is where it was enqueued.
    assert_eq!(task["trace"], format!("00-{TRACE}-{}-01", request.id));
    for span in &spans {
        let parent = spans.iter().find(|parent| parent.id == span.parent);
        let parent = parent.filter(|parent| parent.name != request.name || span.name != job.name);
        let outside = |p: &&outrigger_testkit::SentSpan| {
            span.start_ns < p.start_ns || span.end_ns > p.end_ns || span.end_ns < span.start_ns
        };
        assert_eq!(parent.filter(outside), None, "{span:?} is not within it");
    }

    // Nothing of what was sent, and nothing that opens a door.
    server.terminate();
    let text = sink.text();
    for secret in ["ann@", "shop@", "Order 7", "On its way", "hunter2", api.token(), "Bearer"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(!text.contains(crate::support::ADMIN_PASSWORD) && text.contains("http.auth.login"));
}

mod sqlite {
    use super::*;

    #[test]
    fn a_request_its_task_and_its_mail_are_one_trace() {
        super::a_request_its_task_and_its_mail_are_one_trace(Backend::Sqlite);
    }
}

mod postgres_and_redis {
    use super::*;

    #[test]
    fn a_request_its_task_and_its_mail_are_one_trace() {
        super::a_request_its_task_and_its_mail_are_one_trace(Backend::postgres_and_redis());
    }
}

#[test]
fn calls_of_store_and_cache_are_spans_and_errors_are_marked() {
    let sink = SpanSink::start().unwrap();
    let options = ServerOptions::on(Backend::postgres_and_redis());
    let server = Server::start(&traced(options, &sink.url()));
    let name = server.collection(&json!({"unique": ["email"]}));
    let path = format!("/api/v1/records/{name}");
    let at = |trace: &str| server.admin().with("traceparent", &format!("00-{trace}-{CALLER}-00"));
    let record = json!({"email": "ann@example.org"});
    let id = |number: u32| format!("{number:032x}");
    let (first, second) = (id(1), id(2));
    let created = at(&first).post(&path, &record).expect(201);
    at(&second).post(&path, &record).expect(409);

    let spans = trace(&sink, &first, &["http.records.create", "store.commit"]);
    let request = one(&spans, "http.records.create");
    assert_eq!(request.attributes["http.route"], "/api/v1/records/{collection}");
    for call in spans.iter().filter(|span| span.name != request.name) {
        assert_eq!((call.parent.as_str(), call.kind), (&*request.id, 3));
        // Redis may be late on a busy machine, and is done without.
        let is_well = call.error.is_none() || call.name.starts_with("cache.");
        assert!(is_well || call.name.starts_with("limiter."), "{call:?}");
    }
    let spans = trace(&sink, &second, &["http.records.create", "store.commit"]);
    let commit = one(&spans, "store.commit");
    assert_eq!(commit.error.as_deref(), Some("unique"));
    assert_eq!(commit.attributes["error.type"], "unique");
    // That the client is wrong is no error of the server.
    assert_eq!(one(&spans, "http.records.create").error, None);
    let mut reads = 2;
    let looked_up = || {
        reads += 1;
        let read = id(reads);
        at(&read).get(created.header("location")).expect(200);
        // What a request calls has ended before it, and is sent no later.
        let spans = trace(&sink, &read, &["http.records.read"]);
        let request = one(&spans, "http.records.read");
        let calls = spans.iter().filter(|span| span.name == "cache.lookup");
        calls.filter(|call| call.parent == request.id && call.error.is_none()).count() > 0
    };
    wait_until("the cache is asked", PATIENCE, looked_up).unwrap();
}

#[test]
fn a_receiver_of_webhooks_goes_on_in_the_trace_from_the_call_to_it() {
    let (sink, receiver) = (SpanSink::start().unwrap(), Receiver::start().unwrap());
    let options =
        ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__WEBHOOKS__ALLOW_PRIVATE", "true");
    let server = Server::start(&traced(options, &sink.url()));
    receiver.answer("404 Not Found", "");
    let api = server.admin().with("traceparent", &caller());
    let payload = json!({"url": receiver.url("/token-in-the-path?key=hunter2")});
    let body = json!({"kind": "http.request", "payload": payload});
    let path = api.post("/api/v1/tasks", &body).expect(202).header("location").to_owned();
    until(&server.admin(), &path, "failed");

    let spans = trace(&sink, TRACE, &["job.http.request", "webhook.send"]);
    let (job, call) = (one(&spans, "job.http.request"), one(&spans, "webhook.send"));
    let sent = receiver.received()[0].header("traceparent").to_owned();
    assert_eq!(sent, format!("00-{TRACE}-{}-01", call.id));
    assert_eq!((call.parent.as_str(), call.kind), (job.id.as_str(), 3));
    assert_eq!(call.attributes["http.response.status_code"], "404");
    assert_eq!((call.error.as_deref(), job.error.as_deref()), (Some("status"), Some("status")));
    server.terminate();
    assert!(!sink.text().contains("token-in-the-path") && !sink.text().contains("hunter2"));
}

#[test]
fn a_real_collector_reads_it() {
    let sink = SpanSink::start().unwrap();
    let rotel = Rotel::start(&sink).unwrap();
    let server = Server::start(&traced(ServerOptions::on(Backend::Sqlite), &rotel.url()));
    let (succeeded, said) = server.run(&["doctor"]);
    let row = said.lines().find(|line| line.contains("traces")).unwrap_or_default();
    assert!(succeeded && row.starts_with("ok") && row.contains("/v1/traces"), "{said}");
    let body = json!({"kind": "noop", "payload": {}});
    let api = server.admin().with("traceparent", &caller());
    api.post("/api/v1/tasks", &body).expect(202);
    let spans = trace(&sink, TRACE, &["http.tasks.create", "job.noop"]);
    let (request, job) = (one(&spans, "http.tasks.create"), one(&spans, "job.noop"));
    assert_eq!((request.parent.as_str(), request.kind), (CALLER, 2), "{}", rotel.log());
    assert_eq!((job.parent.as_str(), job.kind), (request.id.as_str(), 5));
    assert_eq!(job.links, [(TRACE.to_owned(), request.id.clone())]);
    assert_eq!(request.attributes["http.response.status_code"], "202");
    assert_eq!(request.resource["service.name"], "outrigger");
    assert!(request.start_ns < request.end_ns);
}

#[test]
fn each_line_of_a_request_or_task_names_it_and_its_trace() {
    let (sink, mut smtp) =
        (SpanSink::start().unwrap(), SmtpServer::start(SmtpServerOptions::default()).unwrap());
    smtp.stop();
    let options = ServerOptions::on(Backend::Sqlite)
        .set("MAIL_URL", &format!("smtp://127.0.0.1:{}", smtp.port()))
        .set("OUTRIGGER__LOG__LEVEL", "debug");
    let server = Server::start(&traced(options, &sink.url()));
    let id = unique("req-");
    let api = server.admin().with("x-request-id", &id);
    let mail = json!({"to": "ann@example.org", "subject": "s", "text": "t"});
    let task = api.post("/api/v1/tasks", &json!({"kind": "email.send", "payload": mail}));
    let task = task.expect(202).json()["id"].as_str().unwrap().to_owned();
    api.get("/api/v1/tasks/tsk_nobody").expect(404);

    let lines = |field: &str, value: &str| -> Vec<Value> {
        let of_it = format!("\"{field}\":\"{value}\"");
        let log = server.process.log();
        // The last one may be only half written.
        let complete = log.rsplit_once('\n').map_or("", |(lines, _)| lines);
        let lines = complete.lines().filter(|line| line.contains(&of_it));
        lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    };
    let tried = || lines("task.id", &task).iter().any(|line| line["code"] == "mail_server");
    wait_until("a line about the task", PATIENCE, tried).unwrap();
    let of_task = lines("task.id", &task);
    for line in &of_task {
        assert_eq!((&line["request.id"], &line["task.kind"]), (&json!(task), &json!("email.send")));
        assert_eq!(line["trace.id"].as_str().map(str::len), Some(32), "{line}");
    }
    let of_request = lines("request.id", &id);
    assert!(!of_request.is_empty());
    for line in &of_request {
        assert_eq!(line["trace.id"].as_str().map(str::len), Some(32), "{line}");
    }
    // Lines, task and spans are one trace.
    let trace_id = of_task[0]["trace.id"].as_str().unwrap();
    trace(&sink, trace_id, &["http.tasks.create", "mail.send"]);
    let spans = trace(&sink, trace_id, &["job.email.send"]);
    let job = spans.iter().find(|span| span.name == "job.email.send").unwrap();
    assert_eq!(job.error.as_deref(), Some("mail_server"));
}
