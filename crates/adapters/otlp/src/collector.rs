//! The collector: where spans are sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpRequest};
use outrigger_ports::probe::Probed;
use outrigger_ports::secrets::LiveSecret;
use percent_encoding::percent_decode_str;

use crate::encode::{Resource, rejected, request};

/// What is added to the endpoint, as the specification says.
const PATH: &str = "/v1/traces";
/// A probe waits for so long.
const PROBE_WITHIN: Duration = Duration::from_secs(3);
/// So much of an answer is read.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

/// Why spans were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may take them later, perhaps after a pause that it has named.
    Away(String, Option<Duration>),
    /// It will never take them.
    Refused(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(why, _) | Self::Refused(why) => f.write_str(why),
        }
    }
}

/// Takes spans over HTTP.
#[derive(Clone, Debug)]
pub struct Collector {
    http: Arc<dyn HttpClient>,
    url: String,
    headers: Arc<dyn LiveSecret>,
    pub(crate) resource: Resource,
}

impl Collector {
    /// At this URL, to which `/v1/traces` is added unless it ends so. `headers` are sent with each
    /// request: `name=value,name=value` with percent-encoded values, as in `OTEL_EXPORTER_OTLP_HEADERS`.
    ///
    /// # Errors
    /// Says what is wrong, without the headers.
    pub fn new(
        http: Arc<dyn HttpClient>,
        endpoint: &str,
        headers: Arc<dyn LiveSecret>,
        resource: Resource,
    ) -> Result<Self, String> {
        let is_web = endpoint.starts_with("http://") || endpoint.starts_with("https://");
        if !is_web {
            return Err("traces.endpoint must begin with http:// or https://".to_owned());
        }
        let base = endpoint.trim_end_matches('/');
        let url = format!("{}{PATH}", base.strip_suffix(PATH).unwrap_or(base));
        pairs(headers.current().expose_secret())?;
        Ok(Self { http, url, headers, resource })
    }

    /// Hands over a request with spans once; says how many of them were not taken.
    ///
    /// # Errors
    /// [`Refusal`] when it was not taken.
    pub(crate) async fn send(&self, body: Bytes, within: Duration) -> Result<u64, Refusal> {
        let mut headers =
            pairs(self.headers.current().expose_secret()).map_err(Refusal::Refused)?;
        headers.push(("content-type".to_owned(), "application/x-protobuf".to_owned()));
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers,
            body,
            timeout: within,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.http.send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(rejected(&answer.body)),
            Ok(answer) => Err(self.judged(&answer).await),
            Err(fault) => Err(Refusal::Away(fault.to_string(), None)),
        }
    }

    async fn judged(&self, answer: &HttpAnswer) -> Refusal {
        let status = answer.status;
        let why = format!("the collector answered {status}");
        let pause = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
        match status {
            408 | 429 | 502 | 503 | 504 => Refusal::Away(why, pause.map(Duration::from_secs)),
            401 | 403 => {
                let why = format!("{why}: look at traces.headers");
                // The key in them may have been changed meanwhile.
                let is_new = self.headers.renew().await;
                if is_new { Refusal::Away(why, None) } else { Refusal::Refused(why) }
            }
            404 | 405 => Refusal::Refused(format!("{why}: is {} OTLP over HTTP?", self.url)),
            _ => Refusal::Refused(why),
        }
    }

    /// Hands over a request without spans.
    ///
    /// # Errors
    /// Says why it was not taken.
    pub async fn probe(&self) -> Result<Probed, String> {
        let started = Instant::now();
        let empty = Bytes::from(request(&self.resource, &[]));
        self.send(empty, PROBE_WITHIN).await.map_err(|refusal| refusal.to_string())?;
        let facts = vec![("url", self.url.clone())];
        let latency = started.elapsed();
        Ok(Probed { latency, version: "OTLP".to_owned(), facts, findings: Vec::new() })
    }
}

/// The headers of such a list.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = || "traces.headers: expected NAME=VALUE,NAME=VALUE".to_owned();
    let pair = |item: &str| {
        let (name, value) = item.split_once('=').ok_or_else(wrong)?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| wrong())?;
        let name = name.trim().to_ascii_lowercase();
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let is_value = value.bytes().all(|b| (0x20..0x7f).contains(&b));
        if name.is_empty() || !is_name || !is_value {
            Err(wrong())
        } else {
            Ok((name, value.into()))
        }
    };
    text.split(',').filter(|item| !item.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn headers_are_a_list_as_in_the_standard_variable() {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let read = pairs("Authorization=Basic%20YTpi=, x-scope=a%2Cb,").unwrap();
        let expected = [("authorization", "Basic YTpi="), ("x-scope", "a,b")].map(owned);
        assert_eq!(read, expected);
        assert_eq!(pairs("").unwrap(), []);
        for wrong in ["hunter2", "=hunter2", "a b=hunter2", "a=hunter2%0d%0ab: c"] {
            let error = pairs(wrong).unwrap_err();
            assert!(error.starts_with("traces.headers") && !error.contains("hunter2"), "{error}");
        }
    }
}
