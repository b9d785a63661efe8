//! `GET /api/v1/files/{id}/content`

use std::fmt::Write;
use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use outrigger_domain::files::{Content, FileView};
use outrigger_kernel::{Error, ErrorKind, Result};

use super::range::{self, Part};
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::header;
use crate::records::view::{list, value};
use crate::state::App;

/// Even where a browser shows it, it does nothing by itself.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
/// May be kept, and is asked for again each time: it may have been deleted, or be for others only.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What a browser may show; everything else it saves.
const SHOWN: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "audio/mpeg",
    "audio/ogg",
    "video/mp4",
    "video/webm",
    "text/plain",
];

pub(crate) fn doc() -> Doc {
    Doc::new("files.content", "Download a file")
        .describe(
            "For whom the file's rule `read` names, its owner and administrators. One range of bytes \
             may be asked for (RFC 9110); several are answered with the whole file.",
        )
        .access(Access::Rules)
        .header("Range", "the bytes that are wanted, such as bytes=0-1023")
        .header("If-Range", "the range is wanted only of the file with this ETag")
        .header("If-None-Match", "an ETag that is there already: then 304")
        .header("If-Match", "the ETag that is wanted: else 412")
        .answers_as(200, "*/*", "the file, with the type that was found in it")
        .answers_as(206, "*/*", "the range of it")
        .answers_empty(304, "it is there already")
        .problem(412)
        .problem(416)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let opened = app.services.files.open(&ctx, &id).await?;
    let file = &opened.file;
    // A file never changes, so its id is a strong validator.
    let etag = format!("\"{}\"", file.id);
    if list(&headers, &IF_MATCH)?.is_some_and(|wanted| !matches(&wanted, &etag)) {
        let message = "it is not the file with this ETag";
        return Err(
            Error::new(ErrorKind::PreconditionFailed, "precondition_failed", message).into()
        );
    }
    if list(&headers, &IF_NONE_MATCH)?.is_some_and(|known| matches(&known, &etag)) {
        return Ok(with(StatusCode::NOT_MODIFIED.into_response(), &etag)?);
    }
    let range = header(&headers, &RANGE)?;
    let is_meant = header(&headers, &IF_RANGE)?.is_none_or(|wanted| wanted.trim() == etag);
    let (status, wanted) = match range::parse(range.filter(|_| is_meant), file.size) {
        Part::Whole => (StatusCode::OK, 0..file.size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::None => return Ok(unsatisfiable(file.size)?),
    };
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => stream_of(opened.read(wanted.clone()).await?, &wanted),
    };
    let mut response = with((status, body).into_response(), &etag)?;
    let size = file.size;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, (wanted.end - wanted.start).into());
    headers.insert(CONTENT_TYPE, value(file.media_type.clone())?);
    headers.insert(CONTENT_DISPOSITION, value(disposition(file))?);
    if status == StatusCode::PARTIAL_CONTENT {
        let Range { start, end } = wanted;
        headers.insert(CONTENT_RANGE, value(format!("bytes {start}-{}/{size}", end - 1))?);
    }
    Ok(response)
}

/// Ends early, and with it the connection, when the bytes cannot be read on.
fn stream_of(content: Content, wanted: &Range<u64>) -> Body {
    let left = wanted.end - wanted.start;
    Body::from_stream(stream::try_unfold((content, left), |(mut content, left)| async move {
        match content.next().await {
            Ok(Some(piece)) => {
                let left = left.saturating_sub(piece.len() as u64);
                Ok(Some((piece, (content, left))))
            }
            Ok(None) if left == 0 => Ok(None),
            Ok(None) => Err(Error::internal("the blob is shorter than its file")),
            Err(error) => Err(error),
        }
        .inspect_err(|error| {
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(source, "a download was cut off: {error}");
        })
    }))
}

fn with(mut response: Response, etag: &str) -> Result<Response> {
    let headers = response.headers_mut();
    headers.insert(ETAG, value(etag.to_owned())?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, ASK_AGAIN);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

fn unsatisfiable(size: u64) -> Result<Response> {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    response.headers_mut().insert(CONTENT_RANGE, value(format!("bytes */{size}"))?);
    Ok(response)
}

fn matches(list: &str, etag: &str) -> bool {
    let known = |item: &str| item.trim().trim_start_matches("W/") == etag || item.trim() == "*";
    list.split(',').any(known)
}

/// The name twice (RFC 6266): for those who know only ASCII, and as it is.
fn disposition(file: &FileView) -> String {
    let shown = SHOWN.contains(&file.media_type.as_str());
    let kind = if shown { "inline" } else { "attachment" };
    let plain: String = file.name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut exact = String::new();
    for byte in file.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            let _ = write!(exact, "%{byte:02X}");
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !"\"\\%".contains(c)
}
