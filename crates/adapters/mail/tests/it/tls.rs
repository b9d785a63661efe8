//! TLS: required unless the server is this machine, and verified always.

use outrigger_ports::mailer::{MailFault, Mailer};
use outrigger_testkit::{SmtpTls, Tls};

use crate::{block_on, knowing, mail, mailer, server};

#[test]
fn both_ways_to_tls_work_with_a_known_authority_and_the_right_name() {
    for (tls, url) in [
        (SmtpTls::StartTls, "smtp://localhost:PORT?tls=required"),
        (SmtpTls::StartTls, "smtp://127.0.0.1:PORT?tls=required"),
        (SmtpTls::Smtps, "smtps://localhost:PORT"),
    ] {
        let server = server(tls);
        block_on(knowing(url, &server).send(mail("tsk_1"))).unwrap();
        assert_eq!(server.taken().unwrap()[0].header("x-encrypted"), "True", "{url}");
    }
}

#[test]
fn nothing_is_sent_to_a_server_that_cannot_show_who_it_is() {
    let stranger = Tls::generate().unwrap();
    for (tls, scheme, query) in
        [(SmtpTls::StartTls, "smtp", "?tls=required"), (SmtpTls::Smtps, "smtps", "")]
    {
        let server = server(tls);
        // 127.0.0.2 is the same server, but not in its certificate.
        let other_name = knowing(&format!("{scheme}://127.0.0.2:PORT{query}"), &server);
        let url = format!("{scheme}://localhost:PORT{query}");
        let unknown = mailer(&url, &server, &stranger.ca_path());
        for mailer in [other_name, unknown] {
            for fault in [
                block_on(mailer.send(mail("tsk_1"))).unwrap_err(),
                block_on(mailer.probe()).unwrap_err(),
            ] {
                let MailFault::Away(why) = &fault else { panic!("{fault:?}") };
                assert!(why.to_lowercase().contains("certificate"), "{why}");
            }
        }
        assert!(server.taken().unwrap().is_empty());
    }
}

#[test]
fn nothing_is_sent_without_tls_where_it_is_required() {
    let server = server(SmtpTls::None);
    for (url, part) in [
        ("smtp://u:hunter2@localhost:PORT?tls=required", "STARTTLS is not supported"),
        ("smtps://u:hunter2@localhost:PORT", "cannot connect"),
    ] {
        let fault = block_on(knowing(url, &server).send(mail("tsk_1"))).unwrap_err();
        let MailFault::Away(why) = &fault else { panic!("{fault:?}") };
        assert!(why.contains(part) && !why.contains("hunter2"), "{why}");
    }
    assert!(server.taken().unwrap().is_empty());
}
