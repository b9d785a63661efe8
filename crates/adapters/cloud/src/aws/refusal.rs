//! What a service of AWS says when it does not do what it was asked.
//!
//! Services with a REST API, such as SES, name the kind in a header; those with JSON 1.1, such as Secrets
//! Manager, in the body. Some servers send both, so both are read of every service.

use std::fmt;

use serde::Deserialize;

use crate::https::Answer;

/// The header that names the kind.
const KIND: &str = "x-amzn-errortype";

/// Why a request got no answer that it could use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// It was not sent, or nobody answered; it may have been heard all the same.
    Unanswered(String),
    /// The service said no.
    Refused(Refusal),
}

/// A service's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// Such as `MessageRejected`; empty when the service did not say.
    pub kind: String,
    /// In the service's words; perhaps empty.
    pub message: String,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(rename = "__type", default)]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Refusal {
    /// What this answer says.
    pub(super) fn of(answer: &Answer) -> Self {
        let Said { kind, code, message } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let header = answer.headers.get(KIND).and_then(|value| value.to_str().ok());
        let named = [header, kind.as_deref(), code.as_deref()];
        let kind = named.into_iter().flatten().map(bare).find(|kind| !kind.is_empty());
        let kind = kind.unwrap_or_default().to_owned();
        Self { status: answer.status.as_u16(), kind, message }
    }

    /// Whether it passes without anybody doing something.
    pub fn is_passing(&self) -> bool {
        let is_busy =
            ["Throttl", "TooManyRequests", "RequestLimitExceeded", "InternalServiceError"];
        self.status >= 500
            || self.status == 429
            || is_busy.iter().any(|kind| self.kind.contains(kind))
    }
}

/// `com.amazonaws.ses#MessageRejected:http://…` without the name of the service and the address.
fn bare(kind: &str) -> &str {
    let kind = kind.split(':').next().unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default().trim()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for word in [&self.kind, &self.message] {
            if !word.is_empty() {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AwsApi;
    use crate::aws::tests::call;
    use outrigger_testkit::Receiver;

    #[tokio::test]
    async fn the_kind_stands_in_a_header_or_in_the_body() {
        let aws = Receiver::start().unwrap();
        let api = AwsApi::of_test(&aws.url(""));
        for (head, body, text) in [
            (
                "400 Bad Request\r\nX-Amzn-ErrorType: MessageRejected:http://internal.amazon.com/x/",
                r#"{"message":"no"}"#,
                "400 MessageRejected no",
            ),
            (
                "400 Bad Request\r\nx-amzn-errortype: com.amazonaws.ses#BadRequestException",
                r#"{"__type":"Other"}"#,
                "400 BadRequestException",
            ),
            (
                "400 Bad Request",
                r#"{"__type":"com.amazonaws#AccessDeniedException","Message":"no"}"#,
                "400 AccessDeniedException no",
            ),
            ("403 Forbidden\r\nx-amzn-errortype: ", r#"{"code":"Forbidden"}"#, "403 Forbidden"),
            ("503 Busy", "<html>", "503"),
        ] {
            aws.answer(head, body);
            let Err(CallFault::Refused(refusal)) = api.call(call()).await else { panic!("{head}") };
            assert_eq!(refusal.to_string(), text);
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        let of = |status, kind: &str| {
            Refusal { status, kind: kind.to_owned(), message: String::new() }.is_passing()
        };
        assert!(of(429, "") && of(503, "") && of(400, "ThrottlingException"));
        assert!(of(400, "TooManyRequestsException") && of(500, "InternalServiceError"));
        assert!(!of(400, "ResourceNotFoundException") && !of(403, "AccessDeniedException"));
    }
}
