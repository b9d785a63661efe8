//! What the jobs of this module stand on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::span::{self, SpanKind};
use outrigger_kernel::{Clock, Ids, Result, Secret, TraceParent};
use outrigger_ports::collection::Collection;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpFault, HttpRequest};
use outrigger_ports::mailer::{Mail, MailFault, Mailer, Sent};

use super::inbox::Item;
use super::messages::Catalogue;
use super::preferences::Preferences;
use super::signing::Keys;
use crate::audit::Audit;
use crate::idempotency::Idempotency;
use crate::ports::Ports;
use crate::tasks::Tasks;
use crate::vault::Vault;

/// The header by which a receiver learns of the trace.
pub(super) const TRACE: &str = "traceparent";

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From it the secret of webhooks that name none is derived.
    pub master: Secret,
    /// Secrets of webhooks, by name.
    pub secrets: Vec<(String, Secret)>,
    /// Who sends mail that names no sender.
    pub mail_from: String,
    /// What messages call this deployment.
    pub product: String,
    /// Where clients reach this deployment, without a slash at the end.
    pub public_url: String,
}

/// What the threads of one process share.
#[derive(Debug)]
pub struct Shared {
    keys: Keys,
    mail_from: String,
    pub(super) catalogue: Catalogue,
    pub(super) vault: Vault,
    pub(super) public_url: String,
}

impl Shared {
    /// Checks the settings.
    ///
    /// # Errors
    /// `invalid` naming the secret that cannot be used.
    pub fn new(settings: &Settings) -> Result<Arc<Self>> {
        let keys = Keys::new(&settings.master, &settings.secrets)?;
        let catalogue = Catalogue::new(&settings.product)?;
        let vault = Vault::new(&settings.master)?;
        let (mail_from, public_url) = (settings.mail_from.clone(), settings.public_url.clone());
        Ok(Arc::new(Self { keys, mail_from, catalogue, vault, public_url }))
    }
}

/// Tells others.
#[derive(Clone, Debug)]
pub struct Notifications {
    http: Arc<dyn HttpClient>,
    mailer: Arc<dyn Mailer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) audit: Audit,
    pub(super) tasks: Tasks,
    pub(super) inbox: Collection<Item>,
    pub(super) preferences: Collection<Preferences>,
    pub(super) idempotency: Idempotency,
    pub(super) shared: Arc<Shared>,
}

/// A webhook that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Webhook<'a> {
    /// The same at every attempt.
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: Vec<(String, String)>,
    /// Where it stands in its trace, if its receiver is to know.
    pub(super) trace: Option<TraceParent>,
    pub(super) body: Bytes,
    pub(super) secret: Option<&'a str>,
    pub(super) timeout: Duration,
    pub(super) answer_bytes_max: usize,
}

impl Notifications {
    /// The service of one thread.
    pub fn new(ports: &Ports, audit: Audit, tasks: Tasks, shared: Arc<Shared>) -> Self {
        Self {
            http: ports.http.clone(),
            mailer: ports.mailer.clone(),
            clock: ports.clock.clone(),
            ids: ports.ids(),
            audit,
            tasks,
            inbox: ports.collection(),
            preferences: ports.collection(),
            idempotency: Idempotency::new(ports),
            shared,
        }
    }

    /// Who sends mail that names no sender.
    pub(super) fn mail_from(&self) -> &str {
        &self.shared.mail_from
    }

    /// Hands over a mail once.
    ///
    /// # Errors
    /// Why it was not taken.
    pub(super) async fn send_mail(&self, mail: Mail) -> Result<Sent, MailFault> {
        let code = |fault: &MailFault| match fault {
            MailFault::Refused(_) => "refused",
            MailFault::Away(_) => "away",
        };
        span::within("mail.send", code, self.mailer.send(mail)).await
    }

    /// Signs and sends a webhook once.
    ///
    /// # Errors
    /// `invalid` when its secret is not known; inside, why there is no answer.
    pub(super) async fn send(&self, hook: Webhook<'_>) -> Result<Result<HttpAnswer, HttpFault>> {
        let at = self.clock.now();
        let signature = self.shared.keys.sign(hook.secret, hook.id, at, &hook.body)?;
        let mut headers = hook.headers;
        let own = [
            ("webhook-id", hook.id.to_owned()),
            ("webhook-timestamp", at.as_secs().to_string()),
            ("webhook-signature", signature),
        ];
        headers.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let mut call = span::child("webhook.send", SpanKind::Client);
        call.note("http.request.method", || hook.method.to_owned());
        // Its receiver goes on in the trace from here, or from where the task is.
        if let Some(trace) = hook.trace {
            let trace = call.trace().unwrap_or(trace);
            headers.push((TRACE.to_owned(), trace.as_str().to_owned()));
        }
        let request = HttpRequest {
            method: hook.method.to_owned(),
            url: hook.url.to_owned(),
            headers,
            body: hook.body,
            timeout: hook.timeout,
            answer_bytes_max: hook.answer_bytes_max,
        };
        let answer = self.http.send(request).await;
        if let Ok(answer) = &answer {
            call.note("http.response.status_code", || i64::from(answer.status));
        }
        call.end(outcome(&answer));
        Ok(answer)
    }
}

/// The code of what went wrong with a webhook.
fn outcome(answer: &Result<HttpAnswer, HttpFault>) -> Option<&'static str> {
    match answer {
        Ok(answer) if answer.status < 400 => None,
        Ok(_) => Some("status"),
        Err(HttpFault::Refused(_)) => Some("refused"),
        Err(HttpFault::TimedOut) => Some("timeout"),
        Err(HttpFault::Connection(_)) => Some("connection"),
    }
}
