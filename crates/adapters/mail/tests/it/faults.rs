//! What a fault means: nobody there now, or never.

use std::net::TcpListener;
use std::time::Duration;

use outrigger_conformance::secrets::Rotated;
use outrigger_mail::{SmtpMailer, SmtpOptions};
use outrigger_ports::mailer::{Mail, MailFault, Mailer};
use outrigger_ports::secrets::fixed;
use outrigger_testkit::{SmtpServer, SmtpServerOptions, SmtpTls};

use crate::{block_on, knowing, mail, server};

const URL: &str = "smtp://127.0.0.1:PORT";

#[test]
fn the_servers_words_decide_and_are_passed_on() {
    let server = server(SmtpTls::None);
    let mailer = knowing(URL, &server);
    server.refuse(Some("451 4.7.1 come back later")).unwrap();
    let busy = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    assert!(
        matches!(&busy, MailFault::Away(why) if why.contains("4.7.1 come back later")),
        "{busy:?}"
    );
    server.refuse(Some("550 5.1.1 nobody of that name")).unwrap();
    let never = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    let MailFault::Refused(why) = &never else { panic!("{never:?}") };
    assert!(why.contains("550") && why.contains("5.1.1 nobody of that name"), "{why}");
    server.refuse(None).unwrap();
    block_on(mailer.send(mail("tsk_1"))).unwrap();
    assert_eq!(server.taken().unwrap().len(), 1);
}

#[test]
fn a_server_that_is_away_may_come_back() {
    let mut server = server(SmtpTls::None);
    let mailer = knowing(URL, &server);
    server.stop();
    let fault = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    assert!(matches!(&fault, MailFault::Away(_)), "{fault:?}");
    server.start_again().unwrap();
    block_on(mailer.send(mail("tsk_1"))).unwrap();
    assert_eq!(server.taken().unwrap().len(), 1);
}

#[test]
fn a_server_that_is_silent_is_away_in_time() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("smtp://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let timeout = Duration::from_millis(200);
    let options = SmtpOptions { timeout, ..SmtpOptions::at(fixed(url)) };
    let fault = block_on(SmtpMailer::new(&options).unwrap().send(mail("tsk_1"))).unwrap_err();
    assert!(matches!(&fault, MailFault::Away(why) if why.contains("200ms")), "{fault:?}");
}

#[test]
fn a_mail_whose_answer_was_lost_is_recognised_when_it_comes_again() {
    let server = server(SmtpTls::None);
    let mailer = knowing(URL, &server);
    server.lose_next_answer().unwrap();
    let fault = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    assert!(matches!(&fault, MailFault::Away(_)), "{fault:?}");
    block_on(mailer.send(mail("tsk_1"))).unwrap();
    let taken = server.taken().unwrap();
    let ids: Vec<String> = taken.iter().map(|mail| mail.header("message-id")).collect();
    assert_eq!(ids, ["<tsk_1@example.com>", "<tsk_1@example.com>"]);
}

#[test]
fn a_wrong_password_is_no_fault_of_the_mail() {
    let user = Some(("me".to_owned(), "right".to_owned()));
    let server = SmtpServer::start(SmtpServerOptions { tls: SmtpTls::StartTls, user }).unwrap();
    let mailer = knowing("smtp://me:hunter2@localhost:PORT?tls=required", &server);
    let fault = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    let MailFault::Away(why) = &fault else { panic!("{fault:?}") };
    assert!(why.contains("cannot sign in") && !why.contains("hunter2"), "{why}");
}

#[test]
fn an_address_that_is_none_is_refused_before_anybody_is_asked() {
    let mut server = server(SmtpTls::None);
    let mailer = knowing(URL, &server);
    server.stop();
    let mail = Mail { to: vec!["nobody".to_owned()], ..mail("tsk_1") };
    let fault = block_on(mailer.send(mail)).unwrap_err();
    assert!(matches!(&fault, MailFault::Refused(why) if why.contains("nobody")), "{fault:?}");
}

/// Also when the secret changes only after the server.
#[test]
fn a_password_that_has_changed_is_looked_up_again() {
    let user = Some(("shop".to_owned(), "new".to_owned()));
    let server = SmtpServer::start(SmtpServerOptions { tls: SmtpTls::Smtps, user }).unwrap();
    let url = |password: &str| format!("smtps://shop:{password}@localhost:{}", server.port());
    let secret = Rotated::new(url("old"));
    let authorities = Some(std::fs::read(server.ca_path()).unwrap());
    let options = SmtpOptions { authorities, ..SmtpOptions::at(secret.clone()) };
    let mailer = SmtpMailer::new(&options).unwrap();
    let fault = block_on(mailer.send(mail("tsk_1"))).unwrap_err();
    assert!(matches!(&fault, MailFault::Away(why) if why.contains("cannot sign in")), "{fault:?}");
    secret.put(url("new"));
    block_on(mailer.send(mail("tsk_2"))).unwrap();
    assert_eq!(server.taken().unwrap().len(), 1);
}
