//! `/docs` (Swagger UI) and `/redoc` (Redoc), served from the binary without any other host.
//!
//! Both pages carry their script inline, so the content policy names the scripts by hash.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use crate::access::Nobody;
use crate::state::App;

/// How long the API document is kept.
const FRESH_FOR: Duration = Duration::from_secs(1);

struct Page {
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

static SWAGGER: LazyLock<Page> = LazyLock::new(|| {
    Page::new(&aide::swagger::Swagger::new("/openapi.json").with_title("Outrigger").html())
});

static REDOC: LazyLock<Page> = LazyLock::new(|| {
    Page::new(&aide::redoc::Redoc::new("/openapi.json").with_title("Outrigger").html())
});

impl Page {
    fn new(html: &str) -> Self {
        // Browsers hash a script after bringing its line ends to one form.
        let html = html.replace("\r\n", "\n").replace('\r', "\n");
        let hashes: Vec<String> = scripts(&html).map(hash_source).collect();
        let hashes = hashes.join(" ");
        let policy = format!(
            "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src 'self' data:; \
             font-src data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(""));
        Self { html, policy }
    }

    fn answer(&'static self) -> Response {
        let mut response = Html(self.html.as_str()).into_response();
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        response
    }
}

pub(crate) async fn swagger(_: Nobody) -> Response {
    SWAGGER.answer()
}

pub(crate) async fn redoc(_: Nobody) -> Response {
    REDOC.answer()
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
        let page = Page::new("<script>a\r\nb</script>");
        let policy = page.policy.to_str().unwrap();
        assert!(policy.contains(&hash_source("a\nb")) && page.html.contains("a\nb"), "{policy}");
    }
}
