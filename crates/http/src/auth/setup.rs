//! `/setup`: the page behind the one-time link that makes the first administrator.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode, Uri};
use outrigger_kernel::{Error, ErrorKind, Secret};

use super::form::Form;
use crate::access::Nobody;
use crate::problem::{HttpResult, status};
use crate::state::App;

/// The page runs no script, loads nothing, and sends its form nowhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'",
);

/// The form, or that it is not needed any more.
pub(crate) async fn page(
    Nobody(_): Nobody,
    State(app): State<App>,
    uri: Uri,
) -> HttpResult<Response> {
    if !app.services.auth.is_empty().await? {
        return Ok(html(StatusCode::GONE, DONE));
    }
    let query = uri.query().unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
    let token = token.map(|(_, token)| token).unwrap_or_default();
    Ok(html(StatusCode::OK, &form(&token, "", "")))
}

/// Makes the administrator, or shows the form again with what is wrong.
pub(crate) async fn submit(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    mut fields: Form,
) -> HttpResult<Response> {
    let token = fields.take("token").unwrap_or_default();
    let email = fields.take("email").unwrap_or_default();
    let password = Secret::from(fields.take("password").unwrap_or_default());
    match app.services.auth.set_up(&ctx, &token, &email, password).await {
        Ok(_) => Ok(html(StatusCode::CREATED, MADE)),
        Err(error) if is_for_the_page(error.kind()) => {
            Ok(html(status(error.kind()), &form(&token, &email, &words(&error))))
        }
        Err(error) => Err(error.into()),
    }
}

/// What a person at the form can do something about.
fn is_for_the_page(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::Conflict)
}

fn words(error: &Error) -> String {
    let fields: Vec<&str> = error.fields().iter().map(|field| field.message.as_str()).collect();
    if fields.is_empty() { error.message().to_owned() } else { fields.join("; ") }
}

const MADE: &str = "<h1>Done</h1><p>You are the administrator now. Sign in with \
    <code>POST /api/v1/auth/login</code>, or with Authorize on <a href=\"/docs\">/docs</a>.</p>";
const DONE: &str = "<h1>Nothing to do</h1><p>There is an administrator already. More are made with \
    <code>outrigger admin create</code>.</p>";

fn form(token: &str, email: &str, fault: &str) -> String {
    let fault = match fault {
        "" => String::new(),
        fault => format!("<p class=\"fault\" role=\"alert\">{}</p>", escape(fault)),
    };
    format!(
        "<h1>Set up Outrigger</h1>{fault}<form method=\"post\" action=\"/setup\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">\
         <label>E-mail address<input type=\"email\" name=\"email\" value=\"{}\" required \
         autocomplete=\"username\"></label>\
         <label>Password, at least 10 characters<input type=\"password\" name=\"password\" \
         required minlength=\"10\" autocomplete=\"new-password\"></label>\
         <button>Make me the administrator</button></form>",
        escape(token),
        escape(email)
    )
}

fn html(status: StatusCode, main: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Set up Outrigger</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;\
         padding:0 1rem}}label{{display:block;margin:1rem 0}}input{{display:block;width:100%;\
         box-sizing:border-box;padding:.5rem;font:inherit}}button{{padding:.5rem 1rem;\
         font:inherit}}.fault{{color:#a00}}</style><main>{main}</main></html>"
    );
    let mut response = (status, Html(page)).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// Text inside HTML, also inside a quoted attribute.
fn escape(text: &str) -> String {
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
        let page = form("\"><script>alert(1)</script>", "'a&b'", "<b>");
        assert!(!page.contains("<script>") && !page.contains("<b>"));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;"));
        assert!(page.contains("&#39;a&amp;b&#39;"));
    }
}
