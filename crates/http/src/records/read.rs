//! `GET /api/v1/records/{collection}/{id}`

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outrigger_domain::records::Source;

use super::RecordPath;
use super::view::{RecordView, json, preconditions, value};
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

pub(crate) fn doc() -> Doc {
    Doc::new("records.read", "Read a record")
        .describe("Cache-Status (RFC 9211) says whether the answer came from the cache.")
        .access(Access::Rules)
        .header("If-None-Match", "an ETag; answers 304 while the record has it")
        .answers::<RecordView>(200, "the record")
        .answers_empty(304, "the client has this state already")
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path((collection, id)): RecordPath,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let expected = preconditions(&headers)?;
    let found = app.services.records.read(&ctx, &collection, &id).await?;
    let mut response = if expected.is_not_modified(&found.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json(StatusCode::OK, found.json)
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, value(found.etag.to_string())?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(CACHE_STATUS, HeaderValue::from_static(cache_status(found.source)));
    Ok(response)
}

fn cache_status(source: Source) -> &'static str {
    match source {
        Source::Cache => "Outrigger; hit",
        Source::StoreThenCached => "Outrigger; fwd=miss; stored",
        Source::Store => "Outrigger; fwd=miss",
        Source::StoreAlone => "Outrigger; fwd=bypass",
    }
}
