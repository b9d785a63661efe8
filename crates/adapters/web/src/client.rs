//! The client: a connection, a request, an answer.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING, USER_AGENT};
use hyper_util::rt::TokioIo;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpFault, HttpRequest};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use url::{Position, Url};

use crate::connect::{Connector, parse, system_tls, tls_with};
use crate::resolve::{Resolve, SystemResolver};

/// How it connects.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// Whether addresses that are not on the public internet are allowed too.
    pub allow_private: bool,
    /// Looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// Certificate authorities to trust instead of the system's.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Default for WebOptions {
    fn default() -> Self {
        let resolver = Arc::new(SystemResolver);
        Self { allow_private: false, resolver, authorities: Vec::new() }
    }
}

/// Sends requests to web servers; works on whatever runtime it is called.
#[derive(Debug)]
pub struct WebClient(Connector);

impl WebClient {
    /// A client.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(options: WebOptions) -> Result<Self, String> {
        let tls = match options.authorities.is_empty() {
            true => system_tls()?,
            false => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(options.authorities);
                tls_with(roots)?
            }
        };
        let WebOptions { allow_private, resolver, .. } = options;
        Ok(Self(Connector { tls: Arc::new(tls), resolver, allow_private }))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFault> {
        let url = parse(&request.url)?;
        let most = request.answer_bytes_max;
        let message = message_of(request, &url)?;
        let stream = self.0.connect(&url).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchanged = async move {
            let answer = sender.send_request(message).await.map_err(broken)?;
            read(answer, most).await
        };
        // Both on this task: when the caller gives up, the connection ends with it.
        let mut exchanged = std::pin::pin!(exchanged);
        tokio::select! {
            biased;
            answer = &mut exchanged => answer,
            ended = connection => {
                ended.map_err(broken)?;
                exchanged.await
            }
        }
    }
}

#[async_trait]
impl HttpClient for WebClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFault> {
        let timeout = request.timeout;
        let answer = tokio::time::timeout(timeout, self.exchange(request)).await;
        answer.unwrap_or(Err(HttpFault::TimedOut))
    }
}

/// The request as it goes over the wire.
fn message_of(request: HttpRequest, url: &Url) -> Result<hyper::Request<Full<Bytes>>, HttpFault> {
    let refuse = |what: &str| HttpFault::Refused(what.to_owned());
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let mut builder = hyper::Request::builder().method(request.method.as_str()).uri(target);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let mut message = builder
        .body(Full::new(request.body))
        .map_err(|_| refuse("the method, a header or the URL is not valid"))?;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| refuse("the URL is not valid"))?;
    let headers = message.headers_mut();
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("outrigger"));
    // Set from the body as it is.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    Ok(message)
}

/// Reads so much of the body.
async fn read(answer: hyper::Response<Incoming>, most: usize) -> Result<HttpAnswer, HttpFault> {
    let (parts, mut incoming) = answer.into_parts();
    let mut body = BytesMut::new();
    let mut is_cut = false;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        let room = most - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            is_cut = true;
            break;
        }
    }
    let text = |value: &HeaderValue| value.to_str().map(ToOwned::to_owned).ok();
    let named = |(name, value): (&hyper::header::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), text(value)?))
    };
    let headers = parts.headers.iter().filter_map(named).collect();
    Ok(HttpAnswer { status: parts.status.as_u16(), headers, body: body.freeze(), is_cut })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: hyper::Error) -> HttpFault {
    HttpFault::Connection(format!("the connection broke: {error}"))
}
