//! `/docs` (Swagger UI) and `/redoc` (Redoc), served from the binary without any other host.
//!
//! Both pages carry their script inline, so the content policy names the scripts by hash.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};

use crate::state::App;

struct Page {
    html: String,
    policy: HeaderValue,
}

/// A script in a content security policy.
fn hash_source(script: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}

static SWAGGER: LazyLock<Page> = LazyLock::new(|| {
    Page::new(aide::swagger::Swagger::new("/openapi.json").with_title("Outrigger").html())
});

static REDOC: LazyLock<Page> = LazyLock::new(|| {
    Page::new(aide::redoc::Redoc::new("/openapi.json").with_title("Outrigger").html())
});

impl Page {
    fn new(html: String) -> Self {
        let scripts = html.split("<script>").skip(1);
        let scripts = scripts.filter_map(|rest| rest.find("</script>").map(|end| &rest[..end]));
        let hashes: Vec<String> = scripts.map(hash_source).collect();
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

pub(crate) async fn swagger() -> Response {
    SWAGGER.answer()
}

pub(crate) async fn redoc() -> Response {
    REDOC.answer()
}

pub(crate) async fn openapi(State(app): State<App>) -> crate::HttpResult<Response> {
    let definitions = app.services.records.definitions().all().await?;
    let document = crate::openapi::document(&app.operations, &app.settings, &definitions);
    Ok(axum::Json(document).into_response())
}
