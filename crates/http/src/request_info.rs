//! What is learned of a request on its way in, for its answer, its metrics and its log line.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::MatchedPath;
use outrigger_domain::admission::Allowance;
use outrigger_kernel::TraceParent;
use outrigger_kernel::span::{Position, Recording, Work};

/// Shared between the layers and the extractors of one request.
#[derive(Debug)]
pub struct RequestInfo {
    /// The id in `X-Request-Id`, logs and errors.
    pub request_id: Arc<str>,
    /// Where it stands in its trace: as the client said, or, when traces are collected, its own place.
    pub trace: Option<TraceParent>,
    /// Set when it is recorded.
    pub recording: Option<Arc<Recording>>,
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
    /// Set once the request may take as long as it does, and counts no more among those in flight: its body
    /// is large, and has limits of its own.
    pub unhurried: OnceLock<()>,
}

impl RequestInfo {
    /// Nothing is known yet but what every request has.
    pub fn new(request_id: Arc<str>, address: IpAddr, trace: Option<TraceParent>) -> Self {
        Self {
            request_id,
            trace,
            recording: None,
            address,
            route: OnceLock::new(),
            actor: OnceLock::new(),
            allowance: OnceLock::new(),
            body_read: OnceLock::new(),
            unhurried: OnceLock::new(),
        }
    }

    /// The same, at its own place.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.trace = Some(position.trace);
        self.recording = position.recording;
        self
    }
}

impl Work for RequestInfo {
    fn ids(&self, tell: &mut dyn FnMut(&'static str, &str)) {
        tell("request.id", &self.request_id);
    }

    fn trace(&self) -> Option<&TraceParent> {
        self.trace.as_ref()
    }

    fn recording(&self) -> Option<&Arc<Recording>> {
        self.recording.as_ref()
    }
}
