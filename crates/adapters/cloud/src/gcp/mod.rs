//! Secret Manager of Google Cloud: one request, `versions.access`, with a token of the service account.

mod crc32c;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use outrigger_kernel::{Clock, Secret};
use outrigger_ports::secrets::{SecretFault, Secrets};
use serde::Deserialize;

use self::token::Tokens;
use crate::https::{self, Answer};

/// An answer is there within this.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes in JSON, which may have padding or not, in either alphabet (Protocol Buffers, "ProtoJSON Format").
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ENDPOINT: &str = "https://secretmanager.googleapis.com";

/// Where it is asked, and as whom. The default: Google, as the machine's service account.
#[derive(Clone, Debug, Default)]
pub struct GcpOptions {
    /// Another server than Google's.
    pub endpoint: Option<String>,
    /// Another host than `metadata.google.internal`.
    pub metadata_host: Option<String>,
    /// The key of a service account, as JSON (`GOOGLE_APPLICATION_CREDENTIALS`).
    pub key_file: Option<PathBuf>,
}

/// Reads the latest versions of secrets, by `PROJECT/NAME`.
#[derive(Clone, Debug)]
pub struct GcpSecrets {
    options: GcpOptions,
    clock: Arc<dyn Clock>,
    tokens: Arc<Tokens>,
}

#[derive(Deserialize)]
struct Accessed {
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    /// An empty secret has none.
    #[serde(default)]
    data: String,
    /// A number of 64 bits, which JSON has as a text; Google may leave it away.
    data_crc32c: Option<String>,
}

/// Why something was not done: as Google's services say it, or as endpoints of tokens do (RFC 6749, 5.2).
#[derive(Deserialize)]
#[serde(untagged)]
enum Refusal {
    Service { error: Status },
    Token { error: String, error_description: Option<String> },
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
}

impl Refusal {
    fn words(self) -> String {
        match self {
            Self::Service { error } => format!("{} {}", error.status, error.message),
            Self::Token { error, error_description } => {
                format!("{error} {}", error_description.unwrap_or_default())
            }
        }
    }
}

impl GcpSecrets {
    /// With these options.
    pub fn new(options: GcpOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock, tokens: Arc::default() }
    }
}

#[async_trait]
impl Secrets for GcpSecrets {
    async fn read(&self, name: &str) -> Result<Secret, SecretFault> {
        let form = || SecretFault::Refused(format!("{name}: expected PROJECT/NAME"));
        let (project, secret) = name.split_once('/').ok_or_else(form)?;
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        };
        if !is_name(project) || !is_name(secret) {
            return Err(form());
        }
        let token = self.tokens.get(&self.options, &*self.clock).await?;
        let endpoint = self.options.endpoint.as_deref().unwrap_or(ENDPOINT).trim_end_matches('/');
        let url =
            format!("{endpoint}/v1/projects/{project}/secrets/{secret}/versions/latest:access");
        let request = Request::get(url).header(AUTHORIZATION, format!("Bearer {token}"));
        let body = ask(request.body(Bytes::new()), "Secret Manager").await;
        // It may have been the token's fault.
        let body = body.inspect_err(|_| self.tokens.forget())?;
        let broken = || SecretFault::Away("Secret Manager gave no secret".to_owned());
        let accessed: Accessed = serde_json::from_slice(&body).map_err(|_| broken())?;
        let Payload { data, data_crc32c } = accessed.payload;
        let bytes = BASE64.decode(data.replace('-', "+").replace('_', "/"));
        let bytes = bytes.map_err(|_| broken())?;
        if data_crc32c.is_some_and(|sum| sum != crc32c::of(&bytes).to_string()) {
            return Err(SecretFault::Away(format!("the secret {name} came with a wrong checksum")));
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            SecretFault::Refused(format!("the secret {name} is bytes, and not a text"))
        })?;
        Ok(text.into())
    }
}

/// Sends a request; the body of its answer, if it was done.
async fn ask(
    request: Result<Request<Bytes>, http::Error>,
    whom: &str,
) -> Result<Bytes, SecretFault> {
    let request = request.map_err(|error| SecretFault::Refused(format!("{whom}: {error}")))?;
    let answer = https::send(request, WITHIN).await.map_err(SecretFault::Away)?;
    let Answer { status, body, .. } = answer;
    if status.is_success() {
        return Ok(body);
    }
    let words = serde_json::from_slice(&body).map(Refusal::words).unwrap_or_default();
    let why = format!("{whom}: {} {words}", status.as_u16());
    let is_passing = status.is_server_error() || status.as_u16() == 429;
    Err(if is_passing { SecretFault::Away(why) } else { SecretFault::Refused(why) })
}
