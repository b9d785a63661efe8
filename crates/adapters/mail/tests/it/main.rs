//! The mailers against a real mail server on this machine, and a real folder.
#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod faults;
mod folder;
mod tls;
mod wire;

use std::path::Path;

use outrigger_kernel::Timestamp;
use outrigger_mail::{SmtpMailer, SmtpOptions};
use outrigger_ports::mailer::Mail;
use outrigger_ports::secrets::fixed;
use outrigger_testkit::{SmtpServer, SmtpServerOptions, SmtpTls};

/// A small mail with this id.
fn mail(id: &str) -> Mail {
    Mail {
        id: id.to_owned(),
        at: Timestamp::from_secs(1_800_000_000),
        from: "The Shop <shop@example.com>".to_owned(),
        reply_to: None,
        to: vec!["Ann <ann@example.org>".to_owned(), "bob@example.org".to_owned()],
        subject: "Order 7".to_owned(),
        text: "It is on its way.\n".to_owned(),
        html: None,
        headers: Vec::new(),
    }
}

fn server(tls: SmtpTls) -> SmtpServer {
    SmtpServer::start(SmtpServerOptions { tls, user: None }).unwrap()
}

/// A mailer of this URL, in which `PORT` stands for the server's, trusting one authority.
fn mailer(url: &str, server: &SmtpServer, authority: &Path) -> SmtpMailer {
    let url = url.replace("PORT", &server.port().to_string());
    let authorities = Some(std::fs::read(authority).unwrap());
    SmtpMailer::new(&SmtpOptions { authorities, ..SmtpOptions::at(fixed(url)) }).unwrap()
}

/// A mailer that knows the server's authority.
fn knowing(url: &str, server: &SmtpServer) -> SmtpMailer {
    mailer(url, server, &server.ca_path())
}

/// Waits for a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}
