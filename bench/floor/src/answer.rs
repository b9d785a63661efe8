//! Answers, and what they are made of.

use std::fmt::Write;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

/// Ready JSON text.
pub(crate) fn json(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = (status, text.into()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What went wrong; the benchmark counts anything but the expected status as a failed run.
pub(crate) struct Failed(StatusCode, String);

impl Failed {
    /// A plain refusal.
    pub(crate) fn status(status: StatusCode) -> Self {
        Self(status, String::new())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", error.into()))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// A record as it goes over the wire; `data` is JSON already. Times in microseconds.
pub(crate) struct Record<'a> {
    pub(crate) id: &'a str,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) created_by: Option<&'a str>,
    pub(crate) data: &'a str,
}

impl Record<'_> {
    /// The JSON text.
    pub(crate) fn render(&self) -> anyhow::Result<String> {
        let mut text = String::with_capacity(self.data.len() + 200);
        let created = jiff::Timestamp::from_microsecond(self.created_at)?;
        let updated = jiff::Timestamp::from_microsecond(self.updated_at)?;
        write!(
            text,
            "{{\"id\":\"{}\",\"collection\":\"items\",\"version\":{},\"created_at\":\"{created:.6}\",\
             \"updated_at\":\"{updated:.6}\",\"created_by\":",
            self.id, self.version
        )?;
        match self.created_by {
            Some(user) => write!(text, "\"{user}\"")?,
            None => text.push_str("null"),
        }
        text.push_str(",\"data\":");
        text.push_str(self.data);
        text.push('}');
        Ok(text)
    }
}
