//! The few pages that Outrigger itself shows to people: behind one-time links.

use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode, Uri};
use outrigger_kernel::{Error, ErrorKind};

use crate::problem::{HttpResult, status};

/// A page runs no script, loads nothing, and sends its form nowhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'",
);

/// The token in the address of a page, or an empty text.
pub(crate) fn token(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let token = pairs.find(|(name, _)| name == "token");
    token.map(|(_, token)| token.into_owned()).unwrap_or_default()
}

/// A page with this title and content.
pub(crate) fn html(status: StatusCode, title: &str, main: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;\
         padding:0 1rem}}label{{display:block;margin:1rem 0}}input{{display:block;width:100%;\
         box-sizing:border-box;padding:.5rem;font:inherit}}button{{padding:.5rem 1rem;\
         font:inherit}}.fault{{color:#a00}}</style><main><h1>{title}</h1>{main}</main></html>"
    );
    let mut response = (status, Html(page)).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    // The token stands in the address.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The form again with what is wrong, when a person can do something about it.
pub(crate) fn again(
    error: Error,
    form: impl FnOnce(StatusCode, &str) -> Response,
) -> HttpResult<Response> {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::Conflict => {
            Ok(form(status(error.kind()), &words(&error)))
        }
        _ => Err(error.into()),
    }
}

fn words(error: &Error) -> String {
    let fields: Vec<&str> = error.fields().iter().map(|field| field.message.as_str()).collect();
    if fields.is_empty() { error.message().to_owned() } else { fields.join("; ") }
}

/// What is wrong, above a form; nothing when nothing is.
pub(crate) fn fault(words: &str) -> String {
    match words {
        "" => String::new(),
        words => format!("<p class=\"fault\" role=\"alert\">{}</p>", escape(words)),
    }
}

/// The field that brings the token back.
pub(crate) fn hidden(token: &str) -> String {
    format!("<input type=\"hidden\" name=\"token\" value=\"{}\">", escape(token))
}

/// Text inside HTML, also inside a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_leave_its_attribute() {
        let page = format!("{}{}", hidden("\"><script>alert(1)</script>"), fault("<b>'a&b'"));
        assert!(!page.contains("<script>") && !page.contains("<b>"));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;"));
        assert!(page.contains("&#39;a&amp;b&#39;"));
    }
}
