//! `/docs` (Swagger UI) and `/redoc` (Redoc), served from the binary without any other host.
//!
//! Both pages carry their script inline, so the content policy names the scripts by hash. They stand in
//! the binary compressed (`build.rs`), and are sent so to who takes it.

use std::io::Read;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue};

use crate::access::Nobody;
use crate::state::App;

/// How long the API document is kept.
const FRESH_FOR: Duration = Duration::from_secs(1);

struct Page {
    packed: &'static [u8],
    html: String,
    policy: HeaderValue,
}

/// The inline scripts of a page. A script ends with the first closing tag, whatever stands in it.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("<script>")?;
        let (script, after) = after.split_once("</script>")?;
        rest = after;
        Some(script)
    })
}

/// A script in a content security policy.
fn hash_source(script: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}

static SWAGGER: LazyLock<Page> =
    LazyLock::new(|| Page::new(include_bytes!(concat!(env!("OUT_DIR"), "/swagger.html.gz"))));

static REDOC: LazyLock<Page> =
    LazyLock::new(|| Page::new(include_bytes!(concat!(env!("OUT_DIR"), "/redoc.html.gz"))));

/// Whether an `Accept-Encoding` (RFC 9110, section 12.5.3) takes gzip, by name and not with a weight of 0.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().trim_start_matches("q=").parse::<f32>().unwrap_or(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && weight > 0.0
    })
}

impl Page {
    fn new(packed: &'static [u8]) -> Self {
        let mut html = String::new();
        if let Err(error) = GzDecoder::new(packed).read_to_string(&mut html) {
            tracing::error!(%error, "a page of the binary cannot be unpacked");
        }
        let hashes: Vec<String> = scripts(&html).map(hash_source).collect();
        let hashes = hashes.join(" ");
        let policy = format!(
            "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src 'self' data:; \
             font-src data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(""));
        Self { packed, html, policy }
    }

    fn answer(&'static self, request: &HeaderMap) -> Response {
        let is_packed = takes_gzip(request);
        let body = if is_packed { self.packed } else { self.html.as_bytes() };
        let mut response = Bytes::from_static(body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

pub(crate) async fn swagger(_: Nobody, headers: HeaderMap) -> Response {
    SWAGGER.answer(&headers)
}

pub(crate) async fn redoc(_: Nobody, headers: HeaderMap) -> Response {
    REDOC.answer(&headers)
}

/// The API document as bytes, and when and after how many changes of definitions it was made.
#[derive(Debug)]
pub(crate) struct Rendered {
    document: Bytes,
    made: Instant,
    changes: u64,
}

/// The document is made again after each change of a definition by this process, and for those by
/// others each second, but never for each request: it reads and compiles all definitions.
pub(crate) async fn openapi(_: Nobody, State(app): State<App>) -> crate::HttpResult<Response> {
    // One request makes it; those that come meanwhile wait.
    let mut rendered = app.rendered.lock().await;
    let definitions = app.services.records.definitions();
    let changes = definitions.changes();
    let is_fresh = |known: &Rendered| known.changes == changes && known.made.elapsed() < FRESH_FOR;
    let document = match rendered.as_ref().filter(|known| is_fresh(known)) {
        Some(known) => known.document.clone(),
        None => {
            let made = Instant::now();
            let all = definitions.all().await?;
            let (operations, kinds) = (&app.operations, app.services.tasks.kinds());
            let document = crate::openapi::document(operations, &app.settings, &all, &kinds);
            let document = Bytes::from(document.to_string());
            *rendered = Some(Rendered { document: document.clone(), made, changes });
            document
        }
    };
    Ok(([(CONTENT_TYPE, "application/json")], document).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_goes_to_its_first_closing_tag_and_is_named_by_hash() {
        let html = "<script>let a = '<script>';</script><p><script>b()</script>";
        assert_eq!(scripts(html).collect::<Vec<_>>(), ["let a = '<script>';", "b()"]);
        for page in [&SWAGGER, &REDOC] {
            let policy = page.policy.to_str().unwrap();
            let mut scripts = scripts(&page.html);
            assert!(scripts.all(|script| policy.contains(&hash_source(script))), "{policy}");
            assert!(page.html.ends_with("</html>\n") && !page.html.contains('\r'));
        }
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let takes = |value| {
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate, gzip, br"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("") && !takes("x-gzip"));
        assert!(!takes_gzip(&HeaderMap::new()));
        let request = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        assert_eq!(SWAGGER.answer(&request).headers()[CONTENT_ENCODING], "gzip");
        assert!(!SWAGGER.answer(&HeaderMap::new()).headers().contains_key(CONTENT_ENCODING));
    }
}
