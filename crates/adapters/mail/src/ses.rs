//! Mail over Amazon SES: one request of its API (SESv2 `SendEmail`) for each message, as it is written.
//!
//! SES gives each message a `Message-ID` of its own in place of ours, and has no word for "the same one
//! again": whose answer was lost is sent twice, with two of them.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use outrigger_cloud::{AwsApi, Call, CallFault, Refusal};
use outrigger_kernel::Clock;
use outrigger_ports::mailer::{Mail, MailFault, Mailer, Sent};
use outrigger_ports::probe::{Finding, Probed, Severity};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use crate::message;

/// Its name in addresses, and the one that is signed for.
const SES: (&str, &str) = ("email", "ses");

/// Hands messages to SES; works on whatever runtime it is called.
#[derive(Clone, Debug)]
pub struct SesMailer {
    region: String,
    configuration_set: Option<String>,
    clock: Arc<dyn Clock>,
    /// Opened for the first message.
    api: Arc<OnceCell<AwsApi>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    message_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account {
    #[serde(default)]
    sending_enabled: bool,
    #[serde(default)]
    production_access_enabled: bool,
    send_quota: Option<Quota>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Quota {
    #[serde(rename = "Max24HourSend", default)]
    max_a_day: f64,
    #[serde(default)]
    max_send_rate: f64,
    #[serde(default)]
    sent_last24_hours: f64,
}

impl SesMailer {
    /// Reads `ses://REGION`, perhaps with `?configuration_set=NAME`; asks nobody yet.
    ///
    /// # Errors
    /// Says what is wrong with the URL.
    pub fn new(url: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let form = "expected ses://REGION or ses://REGION?configuration_set=NAME";
        let url = Url::parse(url).map_err(|error| format!("{error}; {form}"))?;
        let region = url.host_str().unwrap_or_default().to_owned();
        let is_bare =
            matches!(url.path(), "" | "/") && url.username().is_empty() && url.port().is_none();
        if region.is_empty() || !is_bare {
            return Err(form.to_owned());
        }
        let mut configuration_set = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "configuration_set" => configuration_set = Some(value.into_owned()),
                other => return Err(format!("{other} is not known; {form}")),
            }
        }
        Ok(Self { region, configuration_set, clock, api: Arc::default() })
    }

    async fn api(&self) -> Result<&AwsApi, MailFault> {
        let open = || AwsApi::open(SES, Some(&self.region), self.clock.clone());
        self.api.get_or_try_init(open).await.map_err(MailFault::Away)
    }

    async fn call(&self, call: Call<'_>) -> Result<Bytes, MailFault> {
        self.api().await?.call(call).await.map_err(|fault| match fault {
            CallFault::Unanswered(why) => MailFault::Away(why),
            CallFault::Refused(refusal) => refused(&refusal),
        })
    }
}

/// What only this message is refused for; whatever else is wrong, somebody may put right.
fn refused(refusal: &Refusal) -> MailFault {
    let why = format!("SES said: {refusal}");
    let is_of_message = match &*refusal.kind {
        // Of a sender that is not verified too, and that can be changed.
        "MessageRejected" => !refusal.message.contains("not verified"),
        "BadRequestException" => true,
        _ => refusal.status == 413,
    };
    if is_of_message { MailFault::Refused(why) } else { MailFault::Away(why) }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, mail: Mail) -> Result<Sent, MailFault> {
        let written = message::write(&mail)?;
        let to: Vec<String> = written.envelope.to().iter().map(ToString::to_string).collect();
        let mut body = json!({
            "Destination": {"ToAddresses": to},
            "Content": {"Raw": {"Data": STANDARD.encode(&written.bytes)}},
        });
        if let Some(from) = written.envelope.from() {
            body["FromEmailAddress"] = from.to_string().into();
        }
        if let Some(name) = &self.configuration_set {
            body["ConfigurationSetName"] = name.as_str().into();
        }
        let call = Call {
            method: "POST",
            path: "/v2/email/outbound-emails",
            headers: &[("content-type", "application/json")],
            body: Bytes::from(body.to_string()),
        };
        let answer = self.call(call).await?;
        let taken: Taken = serde_json::from_slice(&answer)
            .map_err(|_| MailFault::Away("SES did not say that it has taken it".to_owned()))?;
        // As SES writes it into the message.
        let host = if self.region == "us-east-1" { "email" } else { &self.region };
        let message_id = format!("{}@{host}.amazonses.com", taken.message_id);
        Ok(Sent { message_id, answer: format!("200 {}", taken.message_id) })
    }

    async fn probe(&self) -> Result<Probed, MailFault> {
        let start = Instant::now();
        let call =
            Call { method: "GET", path: "/v2/email/account", headers: &[], body: Bytes::new() };
        let answer = self.call(call).await?;
        let account: Account = serde_json::from_slice(&answer)
            .map_err(|_| MailFault::Away("SES did not tell of its account".to_owned()))?;
        let mut findings = Vec::new();
        let mut find = |severity, message: &str| {
            findings.push(Finding { severity, message: message.to_owned() });
        };
        if !account.sending_enabled {
            find(Severity::Error, "sending is disabled for this account of SES");
        }
        if !account.production_access_enabled {
            let message =
                "the account of SES is in its sandbox: it sends to verified addresses only";
            find(Severity::Warning, message);
        }
        let mut facts = vec![("region", self.region.clone())];
        if let Some(quota) = account.send_quota {
            facts.push(("a_second", quota.max_send_rate.to_string()));
            let of_day = format!("{} of {}", quota.sent_last24_hours, quota.max_a_day);
            facts.push(("sent_in_24_hours", of_day));
        }
        Ok(Probed { latency: start.elapsed(), version: "SES".to_owned(), facts, findings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::SystemClock;

    #[test]
    fn a_url_names_a_region() {
        let of = |url: &str| SesMailer::new(url, Arc::new(SystemClock));
        let mailer = of("ses://eu-central-1?configuration_set=shop").unwrap();
        assert_eq!(mailer.region, "eu-central-1");
        assert_eq!(mailer.configuration_set.as_deref(), Some("shop"));
        for url in ["ses://", "ses://eu-central-1/x", "ses://k:s@eu-central-1", "ses://r?set=x"] {
            assert!(of(url).unwrap_err().contains("expected ses://REGION"), "{url}");
        }
    }

    #[test]
    fn what_may_be_put_right_is_tried_again() {
        let said = |status: u16, kind: &str, message: &str| {
            refused(&Refusal { status, kind: kind.to_owned(), message: message.to_owned() })
        };
        for fault in [
            said(400, "BadRequestException", "Illegal address"),
            said(400, "MessageRejected", "Address is on the suppression list"),
            said(413, "", ""),
        ] {
            assert!(matches!(fault, MailFault::Refused(_)), "{fault:?}");
        }
        for fault in [
            said(400, "MessageRejected", "Email address is not verified."),
            said(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
            said(400, "AccountSuspendedException", ""),
            said(400, "SendingPausedException", ""),
            said(403, "AccessDeniedException", ""),
            said(500, "", ""),
        ] {
            assert!(matches!(fault, MailFault::Away(_)), "{fault:?}");
        }
    }
}
