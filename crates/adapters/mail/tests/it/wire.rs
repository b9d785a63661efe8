//! What arrives at the server.

use outrigger_ports::mailer::{Mail, Mailer};
use outrigger_testkit::{SmtpServer, SmtpServerOptions, SmtpTls};

use crate::{block_on, knowing, mail, server};

#[test]
fn a_mail_arrives_as_it_was_meant() {
    let server = server(SmtpTls::None);
    let sent = Mail {
        subject: "Grüße, order 7".to_owned(),
        reply_to: Some("help@example.com".to_owned()),
        text: ".begins with a dot\n\ncosts 5 €\n".to_owned(),
        html: Some("<p>costs 5 €</p>".to_owned()),
        headers: vec![("X-Colour".to_owned(), "red".to_owned())],
        ..mail("tsk_1")
    };
    let answer = block_on(knowing("smtp://127.0.0.1:PORT", &server).send(sent)).unwrap();
    assert_eq!(answer.message_id, "tsk_1@example.com");
    assert_eq!(answer.answer, "250 kept as 0");
    let taken = server.taken().unwrap().remove(0);
    assert_eq!(taken.header("message-id"), "<tsk_1@example.com>");
    assert_eq!(taken.header("date"), "Fri, 15 Jan 2027 08:00:00 +0000");
    assert_eq!(taken.header("from"), "\"The Shop\" <shop@example.com>");
    assert_eq!(taken.header("to"), "Ann <ann@example.org>, bob@example.org");
    assert_eq!(taken.header("x-envelope-to"), "ann@example.org, bob@example.org");
    assert_eq!(taken.header("reply-to"), "help@example.com");
    assert_eq!(taken.header("x-colour"), "red");
    assert!(taken.header("subject").contains("order 7"), "{}", taken.text());
    assert!(taken.text().contains("multipart/alternative"), "{}", taken.text());
    assert!(taken.text().contains("\r\n.begins with a dot\r\n"), "{}", taken.text());
}

#[test]
fn who_must_sign_in_does() {
    let user = Some(("me@shop".to_owned(), "p:/w%".to_owned()));
    let server = SmtpServer::start(SmtpServerOptions { tls: SmtpTls::StartTls, user }).unwrap();
    let url = "smtp://me%40shop:p%3A%2Fw%25@localhost:PORT?tls=required";
    block_on(knowing(url, &server).send(mail("tsk_1"))).unwrap();
    assert_eq!(server.taken().unwrap()[0].header("x-user"), "me@shop");
    let facts = block_on(knowing(url, &server).probe()).unwrap().facts;
    let port = server.port();
    assert_eq!(
        facts,
        [
            ("server", format!("localhost:{port}")),
            ("tls", "starttls".to_owned()),
            ("signed_in", "true".to_owned())
        ]
    );
}
