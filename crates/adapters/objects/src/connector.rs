//! The HTTP client: hyper with rustls on aws-lc, as everywhere else in the binary.

use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use http::header::USER_AGENT;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};

/// A connection is made within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A request, with all its body, is sent and its answer begins within this: a part at 150 KB/s.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// A connection that nobody uses is closed before the server, which may do it after 20 s.
const IDLE_MAX: Duration = Duration::from_secs(15);
const AGENT: HeaderValue = HeaderValue::from_static("outrigger");

/// Gives out the one client of this thread.
#[derive(Debug, Clone)]
pub(crate) struct Connector(Client<HttpsConnector<TcpConnector>, HttpRequestBody>);

impl Connector {
    /// Trusts the system's authorities.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new() -> Result<Self, String> {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        // Without TLS are only the addresses that give keys to tasks and machines, and servers here.
        let https =
            HttpsConnectorBuilder::new().with_tls_config(outrigger_cloud::tls()?).https_or_http();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(https.enable_http1().wrap_connector(tcp));
        Ok(Self(client))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.headers_mut().entry(USER_AGENT).or_insert(AGENT);
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.0.request(request)).await;
        let answer = answer.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let answer = answer.map_err(|error| {
            let connecting = error.is_connect();
            let kind = if connecting { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
            HttpError::new(kind, error)
        })?;
        let broken = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(broken))))
    }
}
