//! One request over a connection of its own, verified by the system's authorities. They are few, and may
//! come from any runtime, so no connection is kept.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::tls::tls;

/// A connection is made within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Longest answer, in bytes: a secret has at most 64 KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends the request and reads the answer, within this time.
///
/// # Errors
/// Says in words why there is none. The request may have been heard all the same.
pub(crate) async fn send(request: Request<Bytes>, within: Duration) -> Result<Answer, String> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    let asked = tokio::time::timeout(within, exchange(request.map(Full::new))).await;
    let answer = asked.unwrap_or_else(|_| Err(format!("no answer within {within:?}")));
    answer.map_err(|why| format!("{host}: {why}"))
}

async fn exchange(request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_WITHIN));
    let mut builder = Client::builder(TokioExecutor::new());
    let builder = builder.pool_max_idle_per_host(0);
    // Without TLS are only the addresses that give keys to machines, and servers of this machine.
    let answer = if request.uri().scheme_str() == Some("http") {
        builder.build(tcp).request(request).await
    } else {
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls()?).https_only().enable_http1();
        builder.build(https.wrap_connector(tcp)).request(request).await
    };
    let (head, body) = answer.map_err(|error| chain(&error))?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
