//! Spans of requests: one for each that is recorded, named after its operation.

use std::collections::HashMap;

use http::{Method, Request, StatusCode};
use outrigger_kernel::span::{Closing, Position, SpanKind, Tracer};

use crate::headers;
use crate::measure;
use crate::operation::Operation;
use crate::request_info::RequestInfo;

/// The name of requests that are no operation of the API.
const NO_OPERATION: &str = "http.none";

/// Begins and ends the spans of one thread's requests.
#[derive(Debug)]
pub(crate) struct RequestSpans {
    tracer: Tracer,
    /// The operations by their routes.
    names: HashMap<&'static str, Vec<(Method, &'static str)>>,
}

impl RequestSpans {
    /// Names requests after these operations.
    pub(crate) fn new(tracer: Tracer, operations: &[Operation]) -> Self {
        let mut names: HashMap<_, Vec<_>> = HashMap::new();
        for operation in operations {
            let of_route = names.entry(operation.path).or_default();
            of_route.push((operation.method.clone(), operation.doc.id));
        }
        Self { tracer, names }
    }

    /// Where a request stands; nowhere if it only asks for health.
    pub(crate) fn begin<B>(&self, request: &Request<B>) -> Option<Position> {
        let is_probe = is_probe(request.uri().path());
        (!is_probe).then(|| self.tracer.request(headers::trace(request.headers())))
    }

    /// What is told of a request. Its path, its query and who asked are not: they are somebody's data.
    fn closing(&self, ending: &Ending<'_>) -> Closing {
        let Ending { method, info, status, .. } = ending;
        let route = info.route.get().map(axum::extract::MatchedPath::as_str);
        let mut attributes = vec![
            ("http.request.method", measure::known(method).as_str().to_owned().into()),
            ("outrigger.request.id", info.request_id.to_string().into()),
        ];
        if let Some(route) = route {
            attributes.push(("http.route", route.to_owned().into()));
        }
        if let Some(status) = status {
            attributes.push(("http.response.status_code", i64::from(status.as_u16()).into()));
        }
        let error = match status {
            Some(status) if status.is_server_error() => Some(status.as_str().to_owned().into()),
            Some(_) => None,
            None => Some("cancelled".into()),
        };
        let name = route.and_then(|route| self.name(method, route));
        let name = name.map_or(NO_OPERATION.into(), |name| format!("http.{name}").into());
        Closing { name, kind: SpanKind::Server, was_enqueued: false, attributes, error }
    }

    fn name(&self, method: &Method, route: &str) -> Option<&'static str> {
        let of_route = self.names.get(route)?;
        of_route.iter().find(|(known, _)| known == method).map(|(_, name)| *name)
    }
}

/// Whether somebody asks how the process is. They ask all the time.
pub(crate) fn is_probe(path: &str) -> bool {
    path.starts_with("/health") || path == "/api/health/"
}

/// Tells of a recorded request when it ends, also when it is cancelled.
pub(crate) struct Ending<'a> {
    pub(crate) spans: Option<&'a RequestSpans>,
    pub(crate) method: &'a Method,
    pub(crate) info: &'a RequestInfo,
    /// Set when there is an answer.
    pub(crate) status: Option<StatusCode>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let (Some(spans), Some(recording)) = (self.spans, &self.info.recording) {
            recording.end(spans.closing(self));
        }
    }
}
