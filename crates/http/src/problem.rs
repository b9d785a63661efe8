//! Errors as HTTP: `application/problem+json` (RFC 9457). The only place that knows which kind of
//! error is which status.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use outrigger_kernel::{Error, ErrorKind, FieldError};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// The result of a handler.
pub type HttpResult<T> = Result<T, Problem>;

/// An error on its way to the client. The layers add the request id and write the answer.
#[derive(Debug)]
pub struct Problem(pub Error);

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What the layers find in a response that is an error.
#[derive(Clone, Debug)]
pub(crate) struct Failure(pub(crate) Arc<Error>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(self.0.kind()).into_response();
        response.extensions_mut().insert(Failure(Arc::new(self.0)));
        response
    }
}

/// The body of every error.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProblemBody<'a> {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time.
    detail: &'a str,
    /// A stable name for programs.
    code: &'a str,
    /// Names the request in the server's log.
    request_id: &'a str,
    /// Each fault in the input and its place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Vec<FieldBody>", default)]
    errors: &'a [FieldError],
}

/// One fault in the input.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "describes kernel::FieldError for the API document")]
struct FieldBody {
    /// The path to the fault, such as `["body", "email"]`.
    loc: Vec<String>,
    /// A stable name of the fault.
    code: String,
    /// Words for a person.
    message: String,
}

/// The status of each kind of error.
pub fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable | ErrorKind::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The whole answer for an error.
pub(crate) fn render(error: &Error, request_id: &str) -> Response {
    let status = status(error.kind());
    respond(status, error.code(), error.message(), error.fields(), error.retry_after(), request_id)
}

/// The answer for a status that axum chose by itself: no such route, or no such method.
pub(crate) fn render_bare(status: StatusCode, request_id: &str) -> Response {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("no_such_route", "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this path has other methods"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", "send the body as application/json")
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            ("range_not_satisfiable", "the range begins beyond the end of the file")
        }
        _ => ("bad_request", "the request cannot be read"),
    };
    respond(status, code, detail, &[], None, request_id)
}

fn respond(
    status: StatusCode,
    code: &str,
    detail: &str,
    errors: &[FieldError],
    retry_after: Option<std::time::Duration>,
    request_id: &str,
) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let kind = format!("urn:outrigger:problem:{code}");
    let body =
        ProblemBody { kind, title, status: status.as_u16(), detail, code, request_id, errors };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(after) = retry_after {
        headers.insert(RETRY_AFTER, whole_seconds(after).into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Seconds for a header, rounded up: who waits that long is not refused again.
pub(crate) fn whole_seconds(duration: std::time::Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
