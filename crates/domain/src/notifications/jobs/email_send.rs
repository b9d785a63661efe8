//! `email.send`: a mail, until the mail server has taken it.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_ports::mailer::{Mail, MailFault};
use outrigger_ports::queue::Task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notifications::template::{Within, fill};
use crate::tasks::{Job, JobError, JobResult, Options, TaskCtx};

/// `name@example.com` or `A Name <name@example.com>`, or a place for one; the rest is for the mailer
/// to judge.
const ADDRESS: &str =
    r"^([^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+|[^\r\n]*\{\{[^\r\n]*\}\}[^\r\n]*)$";
/// Longest address and longest subject with their values, in bytes.
const LINE_BYTES_MAX: usize = 998;
/// Longest text and longest HTML with their values, in bytes.
const TEXT_BYTES_MAX: usize = 1_000_000;

/// Who gets a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Recipients {
    /// One address.
    One(#[schemars(length(max = 320), regex(pattern = ADDRESS))] String),
    /// Up to 50.
    Many(
        #[schemars(
            length(min = 1, max = 50),
            inner(length(max = 320), regex(pattern = ADDRESS))
        )]
        Vec<String>,
    ),
}

/// Sends a mail; its `Message-ID` follows from the task's id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendEmail {
    /// Who gets it: an address, or a list of up to 50, which all see each other. Each is
    /// `name@example.com` or `A Name <name@example.com>`.
    pub to: Recipients,
    /// One line.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\r\n]*$"))]
    pub subject: String,
    /// The text.
    #[schemars(length(max = 100_000))]
    pub text: String,
    /// The same as HTML, for those who can show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100_000))]
    pub html: Option<String>,
    /// Who sends it, instead of `mail.from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 320), regex(pattern = ADDRESS))]
    pub from: Option<String>,
    /// Where answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 320), regex(pattern = ADDRESS))]
    pub reply_to: Option<String>,
    /// Headers besides those that Outrigger sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = 16,
        "propertyNames" = {"pattern": "^[A-Za-z0-9-]{1,64}$"},
        "additionalProperties" = {"type": "string", "maxLength": 998, "pattern": r"^[^\r\n]*$"},
    ))]
    pub headers: BTreeMap<String, String>,
    /// Values for places such as `{{record.title}}` in `to`, `reply_to`, `subject`, `text` and `html`;
    /// without it, such text stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["object", "null"]))]
    pub data: Option<Value>,
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Its `Message-ID`, without the angle brackets.
    pub message_id: String,
    /// What the mail server said when it took it.
    pub answer: String,
}

impl Job for SendEmail {
    const KIND: &'static str = "email.send";
    const DESCRIPTION: &'static str = "sends a mail";
    type Output = Delivered;

    /// 100 attempts over four to seven days, as RFC 5321 (4.5.4.1) asks for; never more than two hours
    /// apart.
    fn options() -> Options {
        Options {
            max_attempts: 100,
            timeout: Duration::from_secs(90),
            backoff: Duration::from_secs(2),
            backoff_max: Duration::from_secs(2 * 3_600),
            ..Options::default()
        }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<Delivered> {
        let notifications = &task.services.notifications;
        let mail = self.mail(&task.task, notifications.mail_from())?;
        match notifications.send_mail(mail).await {
            Ok(sent) => Ok(Delivered { message_id: sent.message_id, answer: sent.answer }),
            Err(MailFault::Refused(why)) => Err(JobError::fatal("refused", why)),
            Err(MailFault::Away(why)) => Err(JobError::retry("mail_server", why)),
        }
    }
}

impl SendEmail {
    /// The mail with its values.
    fn mail(self, task: &Task, from: &str) -> JobResult<Mail> {
        let data = self.data;
        let filled = |place: &str, text: String, within: Within, most: usize| match &data {
            None => Ok(text),
            Some(data) => fill(&text, data, within, most)
                .map_err(|why| JobError::fatal("template", format!("payload.{place}: {why}"))),
        };
        let line = |place: &str, text: String| filled(place, text, Within::Line, LINE_BYTES_MAX);
        let to = match self.to {
            Recipients::One(address) => vec![address],
            Recipients::Many(addresses) => addresses,
        };
        let html = |text| filled("html", text, Within::Html, TEXT_BYTES_MAX);
        Ok(Mail {
            id: task.id.clone(),
            at: task.run_at,
            from: self.from.unwrap_or_else(|| from.to_owned()),
            reply_to: self.reply_to.map(|text| line("reply_to", text)).transpose()?,
            to: to.into_iter().map(|text| line("to", text)).collect::<JobResult<_>>()?,
            subject: line("subject", self.subject)?,
            text: filled("text", self.text, Within::Text, TEXT_BYTES_MAX)?,
            html: self.html.map(html).transpose()?,
            headers: self.headers.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use outrigger_kernel::{Random, Timestamp};

    use super::*;
    use crate::tasks::retry_at;

    /// Cuts nothing off.
    #[derive(Debug)]
    struct NoChance;

    impl Random for NoChance {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn an_outage_of_three_days_is_outlasted_and_the_end_of_a_short_one_soon_noticed() {
        let options = SendEmail::options();
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap();
        let task = Task {
            backoff_ms: millis(options.backoff),
            backoff_max_ms: millis(options.backoff_max),
            ..task()
        };
        let now = Timestamp::from_secs(1_800_000_000);
        let pause = |attempt| retry_at(&task, attempt, now, &NoChance).since(now);
        let pauses: Vec<Duration> = (1..options.max_attempts).map(pause).collect();
        assert_eq!(pauses[..4], [2, 4, 8, 16].map(Duration::from_secs));
        assert_eq!(pauses.iter().max(), Some(&Duration::from_secs(2 * 3_600)));
        let day = Duration::from_secs(86_400);
        let longest = pauses.iter().sum::<Duration>();
        // Each may be cut by half at random.
        assert!(longest / 2 > 3 * day && longest < 8 * day, "{longest:?}");
        // Who waits has waited for as long before.
        let mut waited = Duration::from_secs(2);
        for pause in pauses {
            assert!(pause <= waited, "{pause:?} after {waited:?}");
            waited += pause;
        }
    }

    #[test]
    fn places_are_filled_where_there_is_data_and_what_is_missing_is_named() {
        let email = |data: &str, subject: &str| -> SendEmail {
            let text = format!(
                r#"{{"to": "{{{{record.email}}}}", "subject": "{subject}", "text": "a {{{{record.n}}}}",
                    "html": "<i>{{{{record.n}}}}</i>"{data}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let data = r#", "data": {"record": {"email": "a@b.example", "n": "<1>\n"}}"#;
        let mail = email(data, "{{record.n}}!").mail(&task(), "me@b.example").unwrap();
        assert_eq!((mail.to[0].as_str(), mail.subject.as_str()), ("a@b.example", "<1> !"));
        assert_eq!(
            (mail.text.as_str(), mail.html.as_deref()),
            ("a <1>\n", Some("<i>&lt;1&gt;\n</i>"))
        );
        assert_eq!(email("", "{{x}}").mail(&task(), "me@b.example").unwrap().subject, "{{x}}");
        let error = email(data, "{{record.title}}").mail(&task(), "me@b.example").unwrap_err();
        assert_eq!((error.failure.code.as_str(), error.retry), ("template", false));
        assert_eq!(error.failure.message, "payload.subject: {{record.title}} has no value");
    }

    fn task() -> Task {
        let task = serde_json::json!({
            "id": "tsk_1", "queue": "default", "kind": "email.send", "payload": {}, "priority": 5,
            "run_at": "2026-01-01T00:00:00Z", "max_attempts": 1, "timeout_ms": 1, "backoff_ms": 1,
            "backoff_max_ms": 1, "retention_s": 1, "created_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_str(&task.to_string()).unwrap()
    }

    #[test]
    fn one_receiver_or_several_may_be_named() {
        let read = |to: &str| -> SendEmail {
            serde_json::from_str(&format!(r#"{{"to": {to}, "subject": "s", "text": "t"}}"#))
                .unwrap()
        };
        assert_eq!(read(r#""a@b.example""#).to, Recipients::One("a@b.example".to_owned()));
        let both = vec!["a@b.example".to_owned(), "c@d.example".to_owned()];
        assert_eq!(read(r#"["a@b.example", "c@d.example"]"#).to, Recipients::Many(both));
    }
}
