//! `http.request`: signed requests to a server of somebody else.

use std::sync::OnceLock;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_testkit::{Received, Receiver};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, on_sqlite, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A server that may send to this machine.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let options = ServerOptions::on(Backend::Sqlite)
            .set("OUTRIGGER__WEBHOOKS__ALLOW_PRIVATE", "true")
            .set("OUTRIGGER__WEBHOOKS__SECRETS", &format!("shop={SECRET}"));
        Server::start(&options)
    })
}

/// Enqueues a request; the path of its task.
fn send(api: &Api, payload: &Value) -> String {
    let body = json!({"kind": "http.request", "payload": payload});
    api.post("/api/v1/tasks", &body).expect(202).header("location").to_owned()
}

/// As a receiver verifies, by the specification.
#[track_caller]
fn assert_signed(received: &Received, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let (id, at) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    let signed = [format!("{id}.{at}.").as_bytes(), &received.body].concat();
    let signature = received.header("webhook-signature").strip_prefix("v1,").unwrap();
    hmac::verify(&key, &signed, &STANDARD.decode(signature).unwrap()).expect("it is signed");
    let age = crate::support::now_s() - at.parse::<u64>().unwrap();
    // As far as the specification lets clocks differ.
    assert!(age < 300, "sent {age} s ago");
}

#[test]
fn a_webhook_arrives_signed_and_its_answer_is_the_result() {
    let (api, receiver) = (server().admin(), Receiver::start().unwrap());
    receiver.answer("201 Created\r\nContent-Type: text/plain", &"thanks ".repeat(1_000));
    let payload = json!({
        "url": receiver.url("/hooks?a=b"), "body": {"order": 7}, "headers": {"X-Colour": "red"},
        "secret_ref": "shop",
    });
    let task = until(&api, &send(&api, &payload), "succeeded");
    let received = receiver.received().remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/hooks?a=b"));
    assert_eq!(received.body, br#"{"order":7}"#);
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("x-colour"), "red");
    assert_eq!(task["id"], received.header("webhook-id"));
    assert_signed(&received, SECRET);
    let result = &task["result"];
    assert_eq!((&result["status"], &result["is_cut"]), (&json!(201), &json!(true)));
    assert_eq!(result["body"].as_str().unwrap().len(), 4_096);
}

#[test]
fn without_a_named_secret_the_derived_one_signs() {
    let (api, receiver) = (server().admin(), Receiver::start().unwrap());
    let path = send(&api, &json!({"url": receiver.url("/"), "method": "PUT"}));
    until(&api, &path, "succeeded");
    let (succeeded, text) = server().run(&["keys", "webhook"]);
    let secret = text.lines().find(|line| line.starts_with("whsec_")).expect("a secret");
    assert!(succeeded, "{text}");
    let received = receiver.received().remove(0);
    assert_eq!((received.method.as_str(), received.body.len()), ("PUT", 0));
    assert_signed(&received, secret);
}

#[test]
fn a_busy_receiver_is_asked_again_after_the_pause_that_it_wants() {
    let (api, receiver) = (server().admin(), Receiver::start().unwrap());
    receiver.answer("503 Service Unavailable\r\nRetry-After: 3", "busy");
    let task = until(&api, &send(&api, &json!({"url": receiver.url("/")})), "succeeded");
    assert_eq!(task["attempts"], 2);
    let received = receiver.received();
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    let at = |index: usize| received[index].header("webhook-timestamp").parse::<u64>().unwrap();
    assert!(at(1) >= at(0) + 3, "sent at {} and {}", at(0), at(1));
}

#[test]
fn a_refusal_and_a_redirect_are_the_end() {
    let (api, receiver) = (server().admin(), Receiver::start().unwrap());
    receiver.answer("410 Gone", "no more");
    let task = until(&api, &send(&api, &json!({"url": receiver.url("/")})), "failed");
    assert_eq!((&task["attempts"], &task["error"]["code"]), (&json!(1), &json!("status")));
    assert!(task["error"]["message"].as_str().unwrap().contains("410: no more"), "{task}");
    let elsewhere = Receiver::start().unwrap();
    receiver.answer(&format!("302 Found\r\nLocation: {}", elsewhere.url("/")), "");
    let task = until(&api, &send(&api, &json!({"url": receiver.url("/")})), "failed");
    assert_eq!(task["error"]["code"], "redirect");
    assert!(elsewhere.received().is_empty());
    let payload = json!({"url": receiver.url("/"), "secret_ref": "other"});
    let task = until(&api, &send(&api, &payload), "failed");
    assert!(task["error"]["message"].as_str().unwrap().contains("default, shop"), "{task}");
}

#[test]
fn a_payload_that_cannot_be_sent_is_refused_with_its_place() {
    let api = server().admin();
    for (payload, place) in [
        (json!({}), "url"),
        (json!({"url": "ftp://example.com"}), "url"),
        (json!({"url": "https://example.com", "method": "TRACE"}), "method"),
        (json!({"url": "https://example.com", "timeout_s": 61}), "timeout_s"),
        (json!({"url": "https://example.com", "headers": {"a": 1}}), "headers.a"),
    ] {
        let body = json!({"kind": "http.request", "payload": payload});
        let answer = api.post("/api/v1/tasks", &body).expect(422);
        assert_eq!(answer.places(), [format!("body.payload.{place}")], "{}", answer.text);
    }
}

#[test]
fn this_machine_cannot_be_reached_unless_it_is_allowed() {
    let (api, receiver) = (on_sqlite().admin(), Receiver::start().unwrap());
    for url in [receiver.url("/"), format!("http://localhost:{}/", receiver.port())] {
        let task = until(&api, &send(&api, &json!({"url": url})), "failed");
        assert_eq!((&task["attempts"], &task["error"]["code"]), (&json!(1), &json!("refused")));
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn a_secret_that_cannot_be_used_stops_the_start_without_being_shown() {
    for secret in ["whsec_c2hvcnQ=", "shop=whsec_c2hvcnQ=", "Shop=whsec_c2hvcnQ="] {
        let options =
            ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__WEBHOOKS__SECRETS", secret);
        let folder = outrigger_testkit::TempDir::new("webhooks").unwrap();
        let (succeeded, text) = crate::support::run(&options, folder.path(), &["serve"], "");
        assert!(!succeeded && text.contains("webhooks"), "{text}");
        assert!(!text.contains("c2hvcnQ"), "{text}");
    }
}

#[test]
fn a_webhook_is_in_the_trace_of_the_request_that_enqueued_it() {
    let (api, receiver) = (server().admin(), Receiver::start().unwrap());
    receiver.answer("404 Not Found", "");
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let trace = format!("00-{id}-00f067aa0ba902b7-01");
    let payload = json!({"url": receiver.url("/")});
    let task = until(&api, &send(&api.with("traceparent", &trace), &payload), "failed");
    assert_eq!(
        (&task["trace"], receiver.received()[0].header("traceparent")),
        (&json!(trace), &*trace)
    );
    let log = server().process.log();
    let of_task = format!("\"task.id\":{}", task["id"]);
    let line = log.lines().find(|line| line.contains(&of_task)).expect("a line about the task");
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["trace.id"], id, "{line}");
    // What is no trace is not passed on, and whose payload names one has its own.
    let own = trace.replace("01", "00");
    let payload = json!({"url": receiver.url("/"), "headers": {"Traceparent": own}});
    for (sent, payload, expected) in [
        ("nonsense", json!({"url": receiver.url("/")}), None),
        (trace.as_str(), payload, Some(own.as_str())),
    ] {
        until(&api, &send(&api.with("traceparent", sent), &payload), "succeeded");
        let received = receiver.received().pop().unwrap();
        let found = received.headers.iter().find(|(name, _)| name == "traceparent");
        assert_eq!(found.map(|(_, value)| value.as_str()), expected);
    }
}
