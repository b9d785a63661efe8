//! Headers of every answer: the request's id, what the caller has left, and what browsers may do.

use axum::Router;
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    IF_MATCH, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};
use outrigger_domain::admission::Allowance;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::problem::whole_seconds;
use crate::request_info::RequestInfo;
use crate::settings::Settings;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Adds what every answer carries; what a handler has set stays.
pub(crate) fn add(mut response: Response, info: &RequestInfo, settings: &Settings) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&info.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(allowance) = info.allowance.get() {
        rate_limit(headers, allowance);
    }
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(CACHE_CONTROL, "no-store");
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(X_FRAME_OPTIONS, "DENY");
    default(REFERRER_POLICY, "no-referrer");
    default(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if settings.hsts {
        default(STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    response
}

/// `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers-10.
fn rate_limit(headers: &mut HeaderMap, allowance: &Allowance) {
    let left = format!(
        "\"default\";r={};t={}",
        allowance.remaining,
        whole_seconds(allowance.retry_after.unwrap_or(allowance.reset_after))
    );
    let policy = format!("\"default\";q={};w={}", allowance.limit, whole_seconds(allowance.period));
    for (name, text) in [(RATE_LIMIT, left), (RATE_LIMIT_POLICY, policy)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// The trace id of a `traceparent` header (W3C Trace Context), if it is one.
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<Box<str>> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, _span, _flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit());
    (version != "ff" && is_hex && trace.bytes().any(|b| b != b'0')).then(|| trace.into())
}

/// Cross-origin calls for the configured origins; none configured: no headers at all.
pub(crate) fn cors(router: Router, origins: &[String]) -> Router {
    if origins.is_empty() {
        return router;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY])
        .expose_headers([
            REQUEST_ID,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            RETRY_AFTER,
            ETAG,
            LOCATION,
            CACHE_STATUS,
        ])
        .max_age(std::time::Duration::from_secs(3_600));
    router.layer(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_trace_ids_are_taken() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            trace_id(&headers)
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(parse(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
        assert_eq!(parse("nonsense"), None);
    }
}
