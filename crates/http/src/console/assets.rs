//! The files of the console. They stand in the binary, compressed (`build.rs`), under a path that names
//! what they hold, so that browsers keep them for good. A debug build reads them from their folder
//! instead, so that a change shows at the next reload.

use std::io::Read;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outrigger_kernel::Error;

use crate::docs::takes_gzip;
use crate::problem::HttpResult;

include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// Where the files are read from instead, in a debug build.
const ON_DISK: Option<&str> = match cfg!(debug_assertions) {
    true => Some(concat!(env!("CARGO_MANIFEST_DIR"), "/console")),
    false => None,
};
/// In the path of each file.
const VERSION: &str = match ON_DISK {
    Some(_) => "live",
    None => CONTENT,
};
const INDEX: &str = "index.html";
/// In the page, for the version.
const PLACEHOLDER: &str = "VERSION";
/// Nothing but our own files, no inline script or style, no other host, no frame, and no text that
/// becomes markup.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// The page.
pub(crate) async fn page(headers: HeaderMap) -> HttpResult<Response> {
    index(&headers)
}

/// The same page at the address of each of its places, which it reads itself; a file without a version.
pub(crate) async fn place(Path(place): Path<String>, headers: HeaderMap) -> HttpResult<Response> {
    match place.starts_with("assets/") {
        true => Err(Error::not_found("file").into()),
        false => index(&headers),
    }
}

/// One of its files.
pub(crate) async fn file(
    Path((version, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    if version != VERSION || file == INDEX {
        return Err(Error::not_found("file").into());
    }
    let cache = match ON_DISK {
        Some(_) => "no-cache",
        None => "public, max-age=31536000, immutable",
    };
    let (packed, kind) = packed(&file).ok_or_else(|| Error::not_found("file"))?;
    let is_packed = ON_DISK.is_none() && takes_gzip(&headers);
    let body = if is_packed { Bytes::from_static(packed) } else { Bytes::from(plain(&file)?) };
    let mut response = body.into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(RESOURCE_POLICY, SAME_ORIGIN);
    if is_packed {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn index(headers: &HeaderMap) -> HttpResult<Response> {
    let tag = format!("\"{VERSION}\"");
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match known && ON_DISK.is_none() {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => {
            let page = String::from_utf8(plain(INDEX)?).map_err(Error::internal)?;
            page.replace(PLACEHOLDER, VERSION).into_response()
        }
    };
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    out.insert(CONTENT_SECURITY_POLICY, POLICY);
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(OPENER_POLICY, SAME_ORIGIN);
    out.insert(RESOURCE_POLICY, SAME_ORIGIN);
    let permissions = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
    out.insert(PERMISSIONS_POLICY, HeaderValue::from_static(permissions));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        out.insert(ETAG, tag);
    }
    Ok(response)
}

fn packed(name: &str) -> Option<(&'static [u8], &'static str)> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, packed)| (*packed, media_type(name)))
}

/// The file as it is; only files of the list are looked for.
fn plain(name: &str) -> Result<Vec<u8>, Error> {
    let (packed, _) = packed(name).ok_or_else(|| Error::not_found("file"))?;
    if let Some(folder) = ON_DISK
        && let Ok(bytes) = std::fs::read(std::path::Path::new(folder).join(name))
    {
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the issue allows the console to add to the binary, in bytes.
    const BYTES_MAX: usize = 1_500_000;

    #[test]
    fn the_console_is_small_and_holds_nothing_inline_and_nothing_foreign() {
        let size: usize = FILES.iter().map(|(_, packed)| packed.len()).sum();
        assert!(size < BYTES_MAX / 10, "{size} bytes");
        for (name, _) in FILES {
            let text = String::from_utf8(plain(name).unwrap()).unwrap();
            for foreign in ["http://", "https://", "innerHTML", "eval(", " style=\"", "<style"] {
                let allowed = foreign == "http://" && text.contains("http://www.w3.org/");
                assert!(allowed || !text.contains(foreign), "{name} holds {foreign}");
            }
            assert!(media_type(name) != "application/octet-stream", "{name}");
        }
        let page = String::from_utf8(plain(INDEX).unwrap()).unwrap();
        assert!(page.contains("<script type=\"module\" src=\"/console/assets/VERSION/"));
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=").count()
        );
    }

    #[test]
    fn only_its_own_files_can_be_asked_for() {
        for name in ["../Cargo.toml", "/etc/passwd", "js/../index.htm", "", "js"] {
            assert!(packed(name).is_none() && plain(name).is_err(), "{name}");
        }
    }
}
