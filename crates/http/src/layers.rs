//! Everything that happens around every request, in order, on one page.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use outrigger_kernel::span::{Tracer, Working};
use outrigger_kernel::{Error, ErrorKind, Random, id};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

use crate::forwarded::client_address;
use crate::headers::{self, Headers};
use crate::health::Health;
use crate::measure;
use crate::patience::Patience;
use crate::problem::{self, Failure, Problem};
use crate::request_info::RequestInfo;
use crate::settings::Settings;
use crate::spans::{Ending, RequestSpans, is_probe};
use crate::state::App;
use crate::watched_body::WatchedBody;

/// Most headers of a request.
const HEADERS_MAX: usize = 100;

/// Requests in flight, shared by the threads of the process.
#[derive(Debug, Default)]
pub struct InFlight(AtomicUsize);

/// Marks an answer that was given before the body of its request was read to the end.
#[derive(Clone, Copy, Debug)]
pub struct BodyUnread;

/// The router with all layers around it; one per thread.
#[derive(Debug)]
pub struct Layers {
    router: Router,
    cors: Option<CorsLayer>,
    settings: Arc<Settings>,
    headers: Headers,
    health: Arc<Health>,
    in_flight: Arc<InFlight>,
    meter: measure::Meter,
    spans: Option<RequestSpans>,
    /// In front of the number of each request of this thread.
    id_prefix: [u8; 8],
    id_next: AtomicU32,
}

impl Layers {
    /// The API of this state, behind its layers; with a tracer, requests become spans.
    pub fn new(
        app: &App,
        in_flight: Arc<InFlight>,
        random: &dyn Random,
        tracer: Option<Tracer>,
    ) -> Self {
        let mut prefix = [0_u8; 8];
        random.fill(&mut prefix);
        Self {
            router: crate::routes::router(app),
            cors: headers::cors(&app.settings.cors_origins),
            settings: app.settings.clone(),
            headers: Headers::new(app.settings.hsts),
            health: app.health.clone(),
            in_flight,
            meter: measure::Meter::default(),
            spans: tracer.map(|tracer| RequestSpans::new(tracer, &app.operations)),
            id_prefix: prefix,
            id_next: AtomicU32::new(0),
        }
    }

    /// Answers one request. Never fails: every fault becomes an answer.
    pub async fn serve<B>(
        &self,
        peer: SocketAddr,
        patience: &Patience,
        request: Request<B>,
    ) -> Response
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let started = Instant::now();
        let method = request.method().clone();
        let mut info = self.inspect(peer, request.headers());
        if let Some(position) = self.spans.as_ref().and_then(|spans| spans.begin(&request)) {
            info = info.at(position);
        }
        let info = Arc::new(info);
        let spans = self.spans.as_ref();
        let mut ending = Ending { spans, method: &method, info: &info, status: None };
        let mut request = request.map(|body| WatchedBody::around(body, &info));
        request.extensions_mut().insert(info.clone());
        // Whatever is logged meanwhile carries the request's id, and calls become its spans.
        let answered = pin!(self.answer(request, &info, patience));
        let mut response = Working::on(info.clone(), answered).await;
        self.headers.add(response.headers_mut(), &info);
        // The rest of a body that nobody reads stands before the next request: say that there is
        // none on this connection.
        let is_unread = info.body_read.get().is_none();
        if self.health.is_draining() || is_unread {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if is_unread {
            response.extensions_mut().insert(BodyUnread);
        }
        ending.status = Some(response.status());
        self.meter.record(&method, &info, response.status(), started.elapsed());
        response
    }

    async fn answer(
        &self,
        request: Request<Body>,
        info: &RequestInfo,
        patience: &Patience,
    ) -> Response {
        let guarded = |request| self.guard(request, info, patience);
        let response = match &self.cors {
            None => guarded(request).await,
            // Around everything: a browser keeps from its page every answer without these headers.
            Some(cors) => {
                let service = service_fn(|request| guarded(request).map(Ok::<_, Infallible>));
                cors.layer(service).oneshot(request).await.unwrap_or_else(|never| match never {})
            }
        };
        finish(response, info)
    }

    /// What is known of a request before anything is done for it.
    fn inspect(&self, peer: SocketAddr, headers: &HeaderMap) -> RequestInfo {
        let request_id = match headers.get("x-request-id").and_then(|v| v.to_str().ok()) {
            Some(given) if id::is_valid_name(given) => given.into(),
            _ => {
                let next = self.id_next.fetch_add(1, Ordering::Relaxed);
                let mut bytes = [0_u8; 12];
                bytes[..8].copy_from_slice(&self.id_prefix);
                bytes[8..].copy_from_slice(&next.to_be_bytes());
                id::hex(&bytes).into()
            }
        };
        let address = client_address(headers, peer.ip(), self.settings.forwarded_hops);
        RequestInfo::new(request_id, address, headers::trace(headers))
    }

    /// Sheds what is too much, refuses what is too long, and ends what takes too long or panics.
    async fn guard(
        &self,
        request: Request<Body>,
        info: &RequestInfo,
        patience: &Patience,
    ) -> Response {
        if let Err(error) = check_head(&request, self.settings.header_bytes_max) {
            return Problem(error).into_response();
        }
        let path = request.uri().path();
        if is_probe(path) {
            return self.route(request).await; // Must answer also when the process is full.
        }
        let Some(place) = self.in_flight.enter(self.settings.concurrency_max) else {
            metrics::counter!("outrigger_http_requests_shed_total").increment(1);
            let error =
                Error::unavailable("overloaded", "the server has too many requests at once");
            return Problem(error).into_response();
        };
        if request.uri().query().is_some_and(|q| q.len() > self.settings.query_bytes_max) {
            return Problem(Error::new(
                ErrorKind::TooLarge,
                "query_too_long",
                format!("the query is longer than {} bytes", self.settings.query_bytes_max),
            ))
            .into_response();
        }
        let is_safe = request.method().is_safe();
        let is_unhurried = || info.unhurried.get().is_some();
        let route = holding(place, self.route(request), is_unhurried);
        match patience.within(route, is_unhurried).await {
            Some(response) => response,
            None if info.body_read.get().is_none() => Problem(Error::new(
                ErrorKind::RequestTimeout,
                "request_timeout",
                "the body of the request did not arrive in time",
            ))
            .into_response(),
            None if !is_safe => Problem(
                Error::new(
                    ErrorKind::OutcomeUnknown,
                    "outcome_unknown",
                    "the request took too long; whether it took effect is not known",
                )
                .retry_in(Duration::from_secs(1)),
            )
            .into_response(),
            None => {
                Problem(Error::unavailable("timeout", "the request took too long")).into_response()
            }
        }
    }

    async fn route(&self, request: Request<Body>) -> Response {
        let answer = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind().await;
        match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => Problem(Error::internal(panic_message(&*panic))).into_response(),
        }
    }
}

/// The future, with its place until it is `unhurried`.
async fn holding<F: Future>(place: Place, future: F, unhurried: impl Fn() -> bool) -> F::Output {
    let (mut place, mut future) = (Some(place), pin!(future));
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if unhurried() {
            place = None;
        }
        polled
    })
    .await
}

/// Refuses a head over the bounds by name; what is far beyond them the server does not even read.
fn check_head(request: &Request<Body>, bytes_max: usize) -> Result<(), Error> {
    let headers = request.headers();
    let refuse = |message| Error::new(ErrorKind::HeadersTooLarge, "headers_too_large", message);
    if headers.len() > HEADERS_MAX {
        return Err(refuse(format!("the request has more than {HEADERS_MAX} headers")));
    }
    // With what stands between name and value, and at the end.
    let line = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target + headers.iter().map(line).sum::<usize>() > bytes_max {
        return Err(refuse(format!("the head of the request is larger than {bytes_max} bytes")));
    }
    Ok(())
}

impl InFlight {
    fn enter(self: &Arc<Self>, max: usize) -> Option<Place> {
        let place = Place(self.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }

    /// How many there are now.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One request's place; given back when dropped, also when the client goes away.
struct Place(Arc<InFlight>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes errors as problems, and logs those that are ours: once, here.
fn finish(response: Response, info: &RequestInfo) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let rendered = match response.extensions().get::<Failure>() {
        Some(Failure(error)) => {
            log(error, info);
            let mut rendered = problem::render(error, &info.request_id);
            headers::refused(rendered.headers_mut(), error);
            rendered
        }
        None if is_chosen_by_axum(&response) => problem::render_bare(status, &info.request_id),
        None => return response,
    };
    with_headers_of(rendered, &response)
}

/// Handlers that fail on their own terms answer in another form than plain text.
fn is_chosen_by_axum(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// What stood beside the body stays: `Allow`, and what CORS has added.
fn with_headers_of(mut rendered: Response, original: &Response) -> Response {
    for (name, value) in original.headers() {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}

fn log(error: &Error, info: &RequestInfo) {
    let route = info.route.get().map(axum::extract::MatchedPath::as_str);
    let actor = info.actor.get().map(AsRef::<str>::as_ref);
    let source = std::error::Error::source(error).map(ToString::to_string);
    match error.kind() {
        ErrorKind::Internal => tracing::error!(route, actor.id = actor, source, "{error}"),
        ErrorKind::Unavailable | ErrorKind::OutcomeUnknown => {
            tracing::warn!(route, code = error.code(), actor.id = actor, source, "{error}");
        }
        _ => tracing::debug!(route, code = error.code(), "{error}"),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.as_deref().unwrap_or("no message"))
}
