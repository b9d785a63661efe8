//! What is learned of a request on its way in, for its answer, its metrics and its log line.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::MatchedPath;
use outrigger_domain::admission::Allowance;
use outrigger_kernel::TraceParent;

/// Shared between the layers and the extractors of one request.
#[derive(Debug)]
pub struct RequestInfo {
    /// The id in `X-Request-Id`, logs and errors.
    pub request_id: Arc<str>,
    /// The `traceparent` (W3C Trace Context), if the client sent a valid one.
    pub trace: Option<TraceParent>,
    /// The client's address, as far as the proxies in front are believed.
    pub address: IpAddr,
    /// The pattern of the route, once it is known.
    pub route: OnceLock<MatchedPath>,
    /// Who calls, once it is known.
    pub actor: OnceLock<Arc<str>>,
    /// What the limiter said, once it was asked.
    pub allowance: OnceLock<Allowance>,
    /// Set once the whole body has been read.
    pub body_read: OnceLock<()>,
    /// Set once the request may take as long as it does: its body is large, and has limits of its own.
    pub unhurried: OnceLock<()>,
}

impl RequestInfo {
    /// Nothing is known yet but what every request has.
    pub fn new(request_id: Arc<str>, address: IpAddr, trace: Option<TraceParent>) -> Self {
        Self {
            request_id,
            trace,
            address,
            route: OnceLock::new(),
            actor: OnceLock::new(),
            allowance: OnceLock::new(),
            body_read: OnceLock::new(),
            unhurried: OnceLock::new(),
        }
    }
}
