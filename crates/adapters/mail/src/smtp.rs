//! Mail over SMTP (RFC 5321): one connection for each message.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, response::Response};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_ports::mailer::{Mail, MailFault, Mailer, Sent};
use outrigger_ports::probe::Probed;
use outrigger_ports::secrets::{Followed, LiveSecret, Way};

use crate::message::{self, Written};
use crate::server::{Security, Server};

/// So long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How a [`SmtpMailer`] works.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, unless the host is this machine) or `smtps://…`.
    /// May change while it is used.
    pub url: Arc<dyn LiveSecret>,
    /// Certificate authorities to trust instead of the system's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// For one message, from the look-up of the server's name to its last answer.
    pub timeout: Duration,
}

impl SmtpOptions {
    /// This server, a minute for each message, and the system's authorities.
    pub fn at(url: Arc<dyn LiveSecret>) -> Self {
        Self { url, authorities: None, timeout: Duration::from_secs(60) }
    }
}

/// Hands messages to a mail server; works on whatever runtime it is called.
#[derive(Clone)]
pub struct SmtpMailer {
    reached: Arc<Followed<Reached>>,
    authorities: Option<Vec<u8>>,
    hello: ClientId,
    timeout: Duration,
}

/// A server, and how it is spoken to.
struct Reached {
    server: Server,
    tls: TlsParameters,
}

impl Reached {
    fn of(url: &Secret, authorities: Option<&[u8]>) -> Result<Self, String> {
        let server = Server::parse(url.expose_secret())?;
        let tls = tls(&server.host, authorities)?;
        Ok(Self { server, tls })
    }
}

impl Way for Reached {
    fn leads_where(&self, other: &Self) -> bool {
        let place = |Server { host, port, security, .. }: &Server| (host.clone(), *port, *security);
        place(&self.server) == place(&other.server)
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { host, port, security, .. } = &self.reached.way().server;
        f.debug_struct("SmtpMailer")
            .field("server", &format_args!("{host}:{port}"))
            .field("tls", &security.as_str())
            .finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// A mailer; connects to nobody yet.
    ///
    /// # Errors
    /// Says what is wrong with the URL or the authorities, without the password.
    pub fn new(options: &SmtpOptions) -> Result<Self, String> {
        let authorities = options.authorities.clone();
        let parse = |url: &Secret| Reached::of(url, authorities.as_deref());
        let reached = Arc::new(Followed::new(options.url.clone(), "the mail server", parse)?);
        Ok(Self { reached, authorities, hello: ClientId::default(), timeout: options.timeout })
    }

    /// What the URL says now.
    fn reached(&self) -> Arc<Reached> {
        if let Some(url) = self.reached.changed() {
            self.reached.follow(url.clone(), Reached::of(&url, self.authorities.as_deref()));
        }
        self.reached.way()
    }

    /// Connects, secures the connection and signs in, once more when the password has changed. What
    /// fails here says nothing of a message.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailFault> {
        loop {
            let reached = self.reached();
            let mut connection = self.open(&reached).await?;
            let server = &reached.server;
            let Some(credentials) = &server.credentials else { return Ok(connection) };
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            let Err(error) = signed_in else { return Ok(connection) };
            let refused = away("cannot sign in to", server, &error);
            let is_renewed = error.is_permanent() && self.reached.renew().await;
            if !is_renewed || self.reached.changed().is_none() {
                return Err(refused);
            }
        }
    }

    async fn open(&self, reached: &Reached) -> Result<AsyncSmtpConnection, MailFault> {
        let Reached { server, tls } = reached;
        let address = (server.host.as_str(), server.port);
        let at_once = (server.security == Security::Tls).then(|| tls.clone());
        let connect = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(CONNECT_TIMEOUT),
            &self.hello,
            at_once,
            None,
        );
        let connected = connect.await;
        let mut connection =
            connected.map_err(|error| away("cannot connect to", server, &error))?;
        if server.security == Security::StartTls {
            let secured = connection.starttls(tls.clone(), &self.hello).await;
            secured.map_err(|error| away("no verified TLS with", server, &error))?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, written: &Written) -> Result<Response, MailFault> {
        let mut connection = self.connect().await?;
        let taken = connection.send(&written.envelope, &written.bytes).await.map_err(|error| {
            let why = format!("{} said: {error}", self.reached.way().server.host);
            match error.is_permanent() || error.is_client() {
                true => MailFault::Refused(why),
                false => MailFault::Away(why),
            }
        });
        // It has taken the message, or not; how it says good-bye does not matter.
        connection.abort().await;
        taken
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, MailFault>>,
    ) -> Result<T, MailFault> {
        let done = tokio::time::timeout(self.timeout, work).await;
        done.unwrap_or_else(|_| {
            let Server { host, port, .. } = &self.reached.way().server;
            let message = format!("{host}:{port} did not answer within {:?}", self.timeout);
            Err(MailFault::Away(message))
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<Sent, MailFault> {
        let written = message::write(&mail)?;
        let answer = self.within(self.hand_over(&written)).await?;
        let words: Vec<&str> = answer.message().collect();
        let answer = format!("{} {}", answer.code(), words.join(" "));
        Ok(Sent { message_id: written.message_id, answer })
    }

    async fn probe(&self) -> Result<Probed, MailFault> {
        let start = Instant::now();
        let mut connection = self.within(self.connect()).await?;
        let latency = start.elapsed();
        connection.abort().await;
        let Server { host, port, security, credentials } = &self.reached.way().server;
        let facts = vec![
            ("server", format!("{host}:{port}")),
            ("tls", security.as_str().to_owned()),
            ("signed_in", credentials.is_some().to_string()),
        ];
        Ok(Probed { latency, version: "SMTP".to_owned(), facts, findings: Vec::new() })
    }
}

fn away(what: &str, Server { host, port, .. }: &Server, error: &Error) -> MailFault {
    MailFault::Away(format!("{what} {host}:{port}: {error}"))
}

fn tls(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        let authority = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    builder.build().map_err(|error| error.to_string())
}
