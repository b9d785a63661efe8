//! Requests to AWS, signed (Signature Version 4), with the keys that the environment gives.

mod keys;
mod refusal;
mod secrets;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use outrigger_kernel::Clock;

use self::keys::Keys;
use crate::Endpoint;
use crate::https;
pub use refusal::{CallFault, Refusal};
pub use secrets::AwsSecrets;

/// An answer is there within this.
const WITHIN: Duration = Duration::from_secs(10);

/// One service of AWS in one region; opened once, its keys are looked up when they run out.
#[derive(Clone, Debug)]
pub struct AwsApi {
    keys: Arc<Keys>,
    service: &'static str,
    endpoint: String,
    region: String,
    clock: Arc<dyn Clock>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'static str,
    /// The path, from its slash on.
    pub path: &'a str,
    /// Headers, besides those of the signature.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body.
    pub body: Bytes,
}

impl AwsApi {
    /// The service that is signed for by this name, at `HOST.REGION.amazonaws.com`; or where
    /// `AWS_ENDPOINT_URL` says. Without a region, that of the environment.
    ///
    /// # Errors
    /// When there is no region, or nowhere to look for keys.
    pub async fn open(
        (host, service): (&str, &'static str),
        region: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err("no region is known: set AWS_REGION".to_owned());
        };
        let endpoint = match config.endpoint_url() {
            Some(endpoint) => Endpoint::parse(endpoint)?.url,
            None => format!("https://{host}.{region}.amazonaws.com"),
        };
        let keys = Arc::new(Keys::of(&config)?);
        Ok(Self { keys, service, endpoint, region, clock })
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a request; the body of the answer.
    ///
    /// # Errors
    /// [`CallFault`]
    pub async fn call(&self, call: Call<'_>) -> Result<Bytes, CallFault> {
        let request = self.signed(call).await.map_err(CallFault::Unanswered)?;
        let answer = https::send(request, WITHIN).await.map_err(CallFault::Unanswered)?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(CallFault::Refused(Refusal::of(&answer)))
    }

    async fn signed(&self, call: Call<'_>) -> Result<Request<Bytes>, String> {
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap_or_default();
        let now = UNIX_EPOCH + Duration::from_micros(micros);
        let keys = self.keys.at(now).await?.into();
        let params = SigningParams::builder()
            .identity(&keys)
            .region(&self.region)
            .name(self.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let url = format!("{}{}", self.endpoint, call.path);
        let uri: Uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let headers = call.headers.iter().copied().chain([("host", host.as_str())]);
        let body = SignableBody::Bytes(&call.body);
        let signable = SignableRequest::new(call.method, &url, headers.clone(), body);
        let signed =
            signable.and_then(|it| sign(it, &params)).map_err(|error| error.to_string())?;
        let (signature, _) = signed.into_parts();
        let mut request = Request::builder().method(call.method).uri(uri);
        for (name, value) in headers.chain(signature.headers()) {
            let name: HeaderName = name.parse().map_err(|_| format!("{name} is no header"))?;
            let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
            request = request.header(name, value);
        }
        request.body(call.body).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::SdkConfig;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use outrigger_kernel::SystemClock;

    impl AwsApi {
        /// A service at this address, whoever that is.
        pub(super) fn of_test(endpoint: &str) -> Self {
            let keys = Credentials::new("test", "test", None, None, "test");
            let keys = SharedCredentialsProvider::new(keys);
            let config = SdkConfig::builder().credentials_provider(keys).build();
            Self {
                keys: Arc::new(Keys::of(&config).unwrap()),
                service: "test",
                endpoint: endpoint.to_owned(),
                region: "eu-central-1".to_owned(),
                clock: Arc::new(SystemClock),
            }
        }
    }

    /// Any request.
    pub(super) fn call() -> Call<'static> {
        Call { method: "GET", path: "/x", headers: &[], body: Bytes::new() }
    }
}
