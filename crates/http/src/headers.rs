//! Headers of every answer: the request's id, what the caller has left, and what browsers may do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE,
    LOCATION, RANGE, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};
use outrigger_domain::admission::Allowance;
use outrigger_kernel::{Error, TraceParent};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::problem::whole_seconds;
use crate::request_info::RequestInfo;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Room for what handlers and layers add, so that the map of an answer does not grow twice.
pub(crate) const ROOM: usize = 16;

/// What every answer carries; one per thread.
#[derive(Debug)]
pub(crate) struct Headers {
    /// Unless a handler has set them.
    defaults: Vec<(HeaderName, HeaderValue)>,
    /// The policy that was sent last: hardly ever is there another one.
    policy: Mutex<Option<Policy>>,
}

#[derive(Debug)]
struct Policy {
    limit: u32,
    period: Duration,
    text: HeaderValue,
}

impl Headers {
    /// With `hsts`, browsers are told to come by HTTPS only.
    pub(crate) fn new(hsts: bool) -> Self {
        let mut defaults = vec![
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        ];
        if hsts {
            defaults.push((STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"));
        }
        let fixed = |(name, text)| (name, HeaderValue::from_static(text));
        Self { defaults: defaults.into_iter().map(fixed).collect(), policy: Mutex::default() }
    }

    /// Adds what every answer carries; what a handler has set stays.
    pub(crate) fn add(&self, headers: &mut HeaderMap, info: &RequestInfo) {
        headers.reserve(ROOM.saturating_sub(headers.len()));
        if let Ok(id) = HeaderValue::from_str(&info.request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(allowance) = info.allowance.get()
            && !headers.contains_key(RATE_LIMIT)
        {
            self.rate_limit(headers, allowance);
        }
        for (name, value) in &self.defaults {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }

    /// `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers-10.
    fn rate_limit(&self, headers: &mut HeaderMap, allowance: &Allowance) {
        let left = format!(
            "\"default\";r={};t={}",
            allowance.remaining,
            whole_seconds(allowance.retry_after.unwrap_or(allowance.reset_after))
        );
        if let (Ok(left), Some(policy)) = (HeaderValue::try_from(left), self.policy(allowance)) {
            headers.insert(RATE_LIMIT, left);
            headers.insert(RATE_LIMIT_POLICY, policy);
        }
    }

    fn policy(&self, allowance: &Allowance) -> Option<HeaderValue> {
        let Allowance { limit, period, .. } = *allowance;
        let mut known = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = known.as_ref().filter(|p| p.limit == limit && p.period == period) {
            return Some(policy.text.clone());
        }
        let text = format!("\"default\";q={limit};w={}", whole_seconds(period));
        let text = HeaderValue::try_from(text).ok()?;
        *known = Some(Policy { limit, period, text: text.clone() });
        Some(text)
    }
}

/// What a refused caller has left of the limit that refused, when it is another one than that of
/// all requests.
pub(crate) fn refused(headers: &mut HeaderMap, error: &Error) {
    let Some(((limit, period), after)) = error.limit().zip(error.retry_after()) else { return };
    let left = format!("\"tries\";r=0;t={}", whole_seconds(after));
    let policy = format!("\"tries\";q={limit};w={}", whole_seconds(period));
    for (name, text) in [(RATE_LIMIT, left), (RATE_LIMIT_POLICY, policy)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// The `traceparent` (W3C Trace Context), if it is valid.
pub(crate) fn trace(headers: &HeaderMap) -> Option<TraceParent> {
    TraceParent::parse(headers.get(TRACE_PARENT)?.to_str().ok()?)
}

/// Cross-origin calls for the configured origins; none configured: no headers at all.
pub(crate) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            IF_RANGE,
            RANGE,
            IDEMPOTENCY_KEY,
            REQUEST_ID,
            TRACE_PARENT,
        ])
        .expose_headers([
            REQUEST_ID,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            RETRY_AFTER,
            ETAG,
            LOCATION,
            CACHE_STATUS,
            ACCEPT_RANGES,
            CONTENT_DISPOSITION,
            CONTENT_RANGE,
        ])
        .max_age(Duration::from_secs(3_600));
    Some(layer)
}
