//! `http.request`: a signed request to somebody's server, a webhook.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use outrigger_ports::http_client::{HttpAnswer, HttpFault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notifications::service::{TRACE, Webhook};
use crate::tasks::{Job, JobError, JobResult, Options, TaskCtx};

/// So much of the answer is kept.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// So much of it is told of when it is a failure, in characters.
const TOLD_CHARS_MAX: usize = 200;
/// The longest pause that a receiver may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Headers that say how the message is sent, or that it is from here.
const RESERVED: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// The method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Sends a request, signed per the Standard Webhooks specification; the task's id is the
/// `webhook-id`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// Where to: `http://` or `https://`, on the public internet.
    #[schemars(length(max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: String,
    /// The method; POST unless said.
    #[serde(default)]
    pub method: Method,
    /// Headers besides those that Outrigger sets.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 32))]
    pub headers: BTreeMap<String, String>,
    /// Sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The whole request may take so many seconds.
    #[serde(default = "default_timeout_s")]
    #[schemars(range(min = 1, max = 60))]
    pub timeout_s: u64,
    /// The name of the secret that signs it, of those in `webhooks.secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub secret_ref: Option<String>,
}

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// The type of the body, if it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body, or its first 4 KiB.
    pub body: String,
    /// Whether there was more of it.
    pub is_cut: bool,
}

fn default_timeout_s() -> u64 {
    15
}

impl Job for SendRequest {
    const KIND: &'static str = "http.request";
    const DESCRIPTION: &'static str = "sends a signed request to a server: a webhook";
    type Output = Received;

    /// 12 attempts over more than half an hour.
    fn options() -> Options {
        Options {
            max_attempts: 12,
            timeout: Duration::from_secs(90),
            backoff: Duration::from_secs(2),
            // Its headers may hold what the receiver asks of those who may call it.
            sealed: true,
            ..Options::default()
        }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<Received> {
        let headers = self.headers()?;
        // Unless the payload names another one.
        let is_named = headers.iter().any(|(name, _)| name == TRACE);
        let hook = Webhook {
            id: &task.task.id,
            method: self.method.as_str(),
            url: &self.url,
            headers,
            trace: task.ctx.trace.filter(|_| !is_named),
            body: self.content()?,
            secret: self.secret_ref.as_deref(),
            timeout: Duration::from_secs(self.timeout_s),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match task.services.notifications.send(hook).await? {
            Ok(answer) => judged(&answer),
            Err(HttpFault::Refused(why)) => Err(JobError::fatal("refused", why)),
            Err(HttpFault::TimedOut) => {
                let message = format!("no answer within {} s", self.timeout_s);
                Err(JobError::retry("timeout", message))
            }
            Err(HttpFault::Connection(why)) => Err(JobError::retry("connection", why)),
        }
    }
}

impl SendRequest {
    fn content(&self) -> JobResult<Bytes> {
        let Some(body) = &self.body else { return Ok(Bytes::new()) };
        let text = serde_json::to_vec(body);
        text.map(Bytes::from).map_err(|error| JobError::fatal("payload", error.to_string()))
    }

    fn headers(&self) -> JobResult<Vec<(String, String)>> {
        let mut headers = Vec::with_capacity(self.headers.len() + 4);
        let mut has_type = false;
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            if RESERVED.contains(&name.as_str()) {
                let message = format!("payload.headers: {name} is set by Outrigger itself");
                return Err(JobError::fatal("reserved_header", message));
            }
            has_type |= name == "content-type";
            headers.push((name, value.clone()));
        }
        if !has_type && self.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Ok(headers)
    }
}

/// What an answer means for the task.
fn judged(answer: &HttpAnswer) -> JobResult<Received> {
    let status = answer.status;
    let body = text_of(answer);
    if (200..300).contains(&status) {
        let content_type = answer.header("content-type").map(ToOwned::to_owned);
        return Ok(Received { status, content_type, body, is_cut: answer.is_cut });
    }
    let told: String = body.chars().take(TOLD_CHARS_MAX).collect();
    let message = format!("the receiver answered {status}: {told}");
    match status {
        408 | 425 | 429 | 500.. => {
            let pause = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
            let pause = pause.map(|seconds| Duration::from_secs(seconds).min(PAUSE_MAX));
            Err(JobError::retry("status", message).not_before(pause))
        }
        300..400 => {
            let message = format!("{message} (redirects are not followed: give the final URL)");
            Err(JobError::fatal("redirect", message))
        }
        _ => Err(JobError::fatal("status", message)),
    }
}

/// The body as text, without half a character at its end when it was cut.
fn text_of(answer: &HttpAnswer) -> String {
    let mut body = &answer.body[..];
    if answer.is_cut
        && let Err(error) = std::str::from_utf8(body)
    {
        let is_half = error.error_len().is_none();
        body = if is_half { &body[..error.valid_up_to()] } else { body };
    }
    String::from_utf8_lossy(body).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpAnswer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpAnswer { status, headers, body: Bytes::from(body.to_owned()), is_cut: false }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(judged(&answer(status, &[], "")).unwrap_err().retry, "{status}");
        }
        for status in [301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 422] {
            assert!(!judged(&answer(status, &[], "")).unwrap_err().retry, "{status}");
        }
        for status in [200, 201, 202, 204] {
            assert_eq!(judged(&answer(status, &[], "")).unwrap().status, status);
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_pause_of_a_day_at_most() {
        let pause =
            |text: &str| judged(&answer(429, &[("retry-after", text)], "")).unwrap_err().not_before;
        assert_eq!(pause("120"), Some(Duration::from_secs(120)));
        assert_eq!(pause("99999999"), Some(PAUSE_MAX));
        assert_eq!(pause("soon"), None);
    }

    #[test]
    fn an_answer_is_not_cut_within_a_character() {
        let whole = "é".repeat(3);
        let cut = HttpAnswer {
            body: Bytes::copy_from_slice(&whole.as_bytes()[..5]),
            is_cut: true,
            ..answer(200, &[], "")
        };
        assert_eq!(judged(&cut).unwrap().body, "éé");
    }

    #[test]
    fn headers_of_outriggers_own_are_refused() {
        let mut request: SendRequest =
            serde_json::from_str(r#"{"url": "https://example.com", "body": 1}"#).unwrap();
        let own = ("content-type".to_owned(), "application/json".to_owned());
        assert_eq!(request.headers().unwrap(), [own]);
        request.headers.insert("Webhook-ID".to_owned(), "mine".to_owned());
        assert_eq!(request.headers().unwrap_err().failure.code, "reserved_header");
    }
}
