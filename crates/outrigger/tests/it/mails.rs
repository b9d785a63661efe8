//! `email.send`: mail through a real mail server, which comes and goes.

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_testkit::{SmtpServer, SmtpServerOptions, SmtpTls, wait_until};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, on_sqlite, until};

/// Mails that are on their way when the mail server is away.
const MAILS: usize = 20;

/// A mail server, and a server that sends through it.
fn pair(backend: Backend) -> (SmtpServer, Server) {
    let smtp = SmtpServer::start(SmtpServerOptions::default()).unwrap();
    let url = format!("smtp://127.0.0.1:{}", smtp.port());
    let options = ServerOptions::on(backend)
        .set("MAIL_URL", &url)
        .set("OUTRIGGER__MAIL__FROM", "The Shop <shop@example.com>");
    (smtp, Server::start(&options))
}

/// Enqueues a mail; the path of its task.
fn send(api: &Api, payload: &Value) -> String {
    let body = json!({"kind": "email.send", "payload": payload});
    api.post("/api/v1/tasks", &body).expect(202).header("location").to_owned()
}

fn to(address: &str) -> Value {
    json!({"to": address, "subject": "Order 7", "text": "It is on its way."})
}

fn a_mail_server_that_was_away_gets_each_mail_once(backend: Backend) {
    let (mut smtp, server) = pair(backend);
    let api = server.admin();
    smtp.stop();
    let paths: Vec<String> =
        (0..MAILS).map(|n| send(&api, &to(&format!("user-{n}@example.org")))).collect();
    let tried = |path: &String| api.get(path).expect(200).json()["attempts"].as_u64() >= Some(2);
    let all_tried = || paths.iter().all(tried);
    wait_until("each was tried twice", Duration::from_secs(60), all_tried).unwrap();
    assert!(smtp.taken().unwrap().is_empty());
    smtp.start_again().unwrap();
    for path in &paths {
        let task = until(&api, path, "succeeded");
        let id = task["id"].as_str().unwrap();
        assert_eq!(task["result"]["message_id"], format!("{id}@example.com"));
        assert!(task["result"]["answer"].as_str().unwrap().starts_with("250 kept"), "{task}");
    }
    let taken = smtp.taken().unwrap();
    let receivers: BTreeSet<String> = taken.iter().map(|mail| mail.header("to")).collect();
    assert_eq!((taken.len(), receivers.len()), (MAILS, MAILS));
}

mod sqlite {
    use super::*;

    #[test]
    fn a_mail_server_that_was_away_gets_each_mail_once() {
        super::a_mail_server_that_was_away_gets_each_mail_once(Backend::Sqlite);
    }
}

mod postgres_and_redis {
    use super::*;

    #[test]
    fn a_mail_server_that_was_away_gets_each_mail_once() {
        super::a_mail_server_that_was_away_gets_each_mail_once(Backend::postgres_and_redis());
    }
}

#[test]
fn what_the_mail_server_says_of_a_mail_decides() {
    let (smtp, server) = pair(Backend::Sqlite);
    let api = server.admin();
    smtp.refuse(Some("550 5.1.1 nobody of that name")).unwrap();
    let task = until(&api, &send(&api, &to("ann@example.org")), "failed");
    assert_eq!((&task["attempts"], &task["error"]["code"]), (&json!(1), &json!("refused")));
    assert!(task["error"]["message"].as_str().unwrap().contains("nobody of that name"), "{task}");
    smtp.refuse(Some("451 4.7.1 come back later")).unwrap();
    let path = send(&api, &to("ann@example.org"));
    let tried = || api.get(&path).expect(200).json()["error"]["code"] == "mail_server";
    wait_until("it was tried", Duration::from_secs(60), tried).unwrap();
    smtp.refuse(None).unwrap();
    let task = until(&api, &path, "succeeded");
    assert!(task["attempts"].as_u64() >= Some(2), "{task}");
    assert_eq!(smtp.taken().unwrap()[0].header("from"), "\"The Shop\" <shop@example.com>");
}

#[test]
fn in_development_a_mail_is_kept_and_its_body_is_not_logged() {
    let (server, api) = (on_sqlite(), on_sqlite().admin());
    let mut payload = to("ann@example.org");
    payload["text"] = json!("between you and me");
    let task = until(&api, &send(&api, &payload), "succeeded");
    let file = format!("data/mail/{}.eml", task["id"].as_str().unwrap());
    let kept = std::fs::read_to_string(server.path().join(&file)).unwrap();
    assert!(kept.contains("between you and me") && kept.contains("outrigger@localhost"), "{kept}");
    // All of it: other tests have the same server write on.
    let log = std::fs::read_to_string(server.process.log_path()).unwrap();
    assert!(log.contains(&file) && !log.contains("between you"), "{}", server.process.log());
}

#[test]
fn a_mail_that_cannot_be_sent_is_refused_with_its_place() {
    let api = on_sqlite().admin();
    let mut no_text = to("ann@example.org");
    no_text.as_object_mut().unwrap().remove("text");
    let with = |field: &str, value: Value| {
        let mut payload = to("ann@example.org");
        payload[field] = value;
        payload
    };
    for (payload, place) in [
        (no_text, "text"),
        (with("subject", json!("two\r\nlines")), "subject"),
        (with("from", json!("nobody")), "from"),
        (with("to", json!(["ann@example.org", "b@c\r\n"])), "to"),
        (with("to", json!([])), "to"),
        (with("headers", json!({"X-Colour": "red\nBcc: x@y.example"})), "headers.X-Colour"),
        (with("cc", json!("bob@example.org")), "cc"),
    ] {
        let body = json!({"kind": "email.send", "payload": payload});
        let answer = api.post("/api/v1/tasks", &body).expect(422);
        let places = answer.places();
        assert!(places[0].starts_with(&format!("body.payload.{place}")), "{}", answer.text);
    }
    let task = until(&api, &send(&api, &with("headers", json!({"Bcc": "x@y.example"}))), "failed");
    assert!(task["error"]["message"].as_str().unwrap().contains("Bcc"), "{task}");
}

#[test]
fn doctor_asks_the_mail_server_and_shows_no_password() {
    let user = Some(("me".to_owned(), "right".to_owned()));
    let smtp = SmtpServer::start(SmtpServerOptions { tls: SmtpTls::StartTls, user }).unwrap();
    let url =
        |password: &str| format!("smtp://me:{password}@localhost:{}?tls=required", smtp.port());
    let options = |password: &str| {
        ServerOptions::on(Backend::Sqlite)
            .set("MAIL_URL", &url(password))
            .set("OUTRIGGER__MAIL__CA_FILE", smtp.ca_path().to_str().unwrap())
    };
    let folder = outrigger_testkit::TempDir::new("doctor").unwrap();
    let doctor = |options| crate::support::run(&options, folder.path(), &["doctor"], "").1;
    let text = doctor(options("right"));
    assert!(text.contains("tls=starttls") && text.contains("signed_in=true"), "{text}");
    assert!(text.contains("warning  mail: mail.from is Outrigger <outrigger@localhost>"), "{text}");
    let text = doctor(options("hunter2"));
    assert!(text.contains("error    mail: cannot sign in to localhost"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let text = doctor(options("right").set("OUTRIGGER__MAIL__CA_FILE", ""));
    assert!(text.contains("error    mail: no verified TLS with localhost"), "{text}");
}
