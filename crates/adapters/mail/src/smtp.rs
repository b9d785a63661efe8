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

use crate::message::{self, Written};
use crate::server::{Security, Server};

/// So long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How a [`SmtpMailer`] works.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, unless the host is this machine) or `smtps://…`.
    pub url: Secret,
    /// Certificate authorities to trust instead of the system's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// For one message, from the look-up of the server's name to its last answer.
    pub timeout: Duration,
}

impl SmtpOptions {
    /// This server, a minute for each message, and the system's authorities.
    pub fn at(url: Secret) -> Self {
        Self { url, authorities: None, timeout: Duration::from_secs(60) }
    }
}

/// Hands messages to a mail server; works on whatever runtime it is called.
#[derive(Clone)]
pub struct SmtpMailer {
    server: Arc<Server>,
    tls: TlsParameters,
    hello: ClientId,
    timeout: Duration,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { host, port, security, .. } = &*self.server;
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
        let server = Server::parse(options.url.expose_secret())?;
        let tls = tls(&server.host, options.authorities.as_deref())?;
        let hello = ClientId::default();
        Ok(Self { server: Arc::new(server), tls, hello, timeout: options.timeout })
    }

    /// Connects, secures the connection and signs in. What fails here says nothing of a message.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailFault> {
        let server = &*self.server;
        let away = |what: &str, error: &Error| {
            let Server { host, port, .. } = server;
            MailFault::Away(format!("{what} {host}:{port}: {error}"))
        };
        let address = (server.host.as_str(), server.port);
        let at_once = (server.security == Security::Tls).then(|| self.tls.clone());
        let connect = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(CONNECT_TIMEOUT),
            &self.hello,
            at_once,
            None,
        );
        let mut connection = connect.await.map_err(|error| away("cannot connect to", &error))?;
        if server.security == Security::StartTls {
            let secured = connection.starttls(self.tls.clone(), &self.hello).await;
            secured.map_err(|error| away("no verified TLS with", &error))?;
        }
        if let Some(credentials) = &server.credentials {
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|error| away("cannot sign in to", &error))?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, written: &Written) -> Result<Response, MailFault> {
        let mut connection = self.connect().await?;
        let taken = connection.send(&written.envelope, &written.bytes).await.map_err(|error| {
            let why = format!("{} said: {error}", self.server.host);
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
            let Server { host, port, .. } = &*self.server;
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
        let Server { host, port, security, credentials } = &*self.server;
        let facts = vec![
            ("server", format!("{host}:{port}")),
            ("tls", security.as_str().to_owned()),
            ("signed_in", credentials.is_some().to_string()),
        ];
        Ok(Probed { latency, version: "SMTP".to_owned(), facts, findings: Vec::new() })
    }
}

fn tls(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        let authority = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    builder.build().map_err(|error| error.to_string())
}
