//! What a record looks like on the wire, and the headers around it.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outrigger_domain::records::{Preconditions, Saved};
use outrigger_kernel::{Error, Result};
use schemars::JsonSchema;
use serde_json::Value;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A record.
#[derive(JsonSchema)]
#[schemars(rename = "Record")]
#[expect(dead_code, reason = "describes the text that the domain renders")]
pub(crate) struct RecordView {
    /// Its id.
    id: String,
    /// The name of its collection.
    collection: String,
    /// 1 when created, one more with every change.
    version: u64,
    /// When it was created, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was last changed, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// The id of the user who created it; null when nobody had signed in.
    created_by: Option<String>,
    /// What the client stored.
    data: Value,
}

/// A page of records.
#[derive(JsonSchema)]
#[schemars(rename = "RecordPage")]
#[expect(dead_code, reason = "describes the text that the domain renders")]
pub(crate) struct PageView {
    /// The records.
    items: Vec<RecordView>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
}

/// The data of a record.
#[derive(JsonSchema)]
#[schemars(rename = "RecordData", extend("type" = "object"))]
pub(crate) struct DataView(#[expect(dead_code, reason = "describes any object")] Value);

/// An answer of ready JSON text.
pub(crate) fn json(status: StatusCode, text: Bytes) -> Response {
    let mut response = (status, text).into_response();
    response.headers_mut().reserve(crate::headers::ROOM);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The answer to a write: 201 with `Location` for a new record, else 200.
pub(crate) fn saved(collection: &str, saved: Saved) -> Result<Response> {
    let status = if saved.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = json(status, saved.json);
    let headers = response.headers_mut();
    headers.insert(ETAG, value(saved.etag)?);
    if saved.is_new {
        let location = format!("/api/v1/records/{collection}/{}", saved.id);
        headers.insert(LOCATION, value(location)?);
    }
    Ok(response)
}

pub(crate) fn value(text: String) -> Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(Error::internal)
}

/// `If-Match` and `If-None-Match`.
pub(crate) fn preconditions(headers: &HeaderMap) -> Result<Preconditions> {
    Ok(Preconditions {
        if_match: list(headers, &IF_MATCH)?,
        if_none_match: list(headers, &IF_NONE_MATCH)?,
    })
}

/// A header that is a list, whose items may stand on several lines (RFC 9110, section 5.3).
pub(crate) fn list(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>> {
    let lines = headers.get_all(name).iter().map(|line| text(line, name));
    let lines = lines.collect::<Result<Vec<&str>>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// A header as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>> {
    headers.get(name).map(|value| text(value, name)).transpose()
}

fn text<'h>(value: &'h HeaderValue, name: &HeaderName) -> Result<&'h str> {
    value.to_str().map_err(|_| {
        Error::invalid(&["header", name.as_str()], "not_ascii", "expected printable ASCII")
    })
}
