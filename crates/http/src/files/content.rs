//! `GET /api/v1/files/{id}/content`

use std::fmt::Write;
use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use outrigger_domain::files::FileView;
use outrigger_kernel::{Error, ErrorKind, Result};

use super::download;
use super::range::{self, Part};
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::header;
use crate::records::view::{list, value};
use crate::state::App;

/// Even where a browser shows it, it does nothing by itself.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
/// Of so few bytes there may be any number at once, such as of the pictures of a page.
const SMALL_BYTES_MAX: u64 = 256 * 1024;
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
    if list(&headers, &IF_MATCH)?.is_some_and(|wanted| !has(&wanted, &etag)) {
        let message = "it is not the file with this ETag";
        return Err(
            Error::new(ErrorKind::PreconditionFailed, "precondition_failed", message).into()
        );
    }
    if list(&headers, &IF_NONE_MATCH)?.is_some_and(|known| has_weakly(&known, &etag)) {
        return Ok(with(StatusCode::NOT_MODIFIED.into_response(), &etag)?);
    }
    // Of a HEAD it means nothing (RFC 9110, section 14.2).
    let range = if method == Method::GET { header(&headers, &RANGE)? } else { None };
    let is_meant = header(&headers, &IF_RANGE)?.is_none_or(|wanted| wanted.trim() == etag);
    let (status, wanted) = match range::parse(range.filter(|_| is_meant), file.size) {
        Part::Whole => (StatusCode::OK, 0..file.size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::None => return Ok(unsatisfiable(file.size)?),
    };
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => {
            let is_small = wanted.end - wanted.start <= SMALL_BYTES_MAX;
            let place = (!is_small).then(|| app.transfers.download(&ctx)).transpose()?;
            let content = opened.read(wanted.clone()).await?;
            download::stream(content, &wanted, app.transfers.pace(), place)
        }
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

/// Compares strongly (RFC 9110, section 8.8.3.2): a weak one is never the same.
fn has(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|item| item == etag || item == "*")
}

fn has_weakly(list: &str, etag: &str) -> bool {
    let strong = |item: &str| item.trim().trim_start_matches("W/") == etag;
    has(list, etag) || list.split(',').any(strong)
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
