//! `/setup`: the page behind the one-time link that makes the first administrator.

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use outrigger_kernel::Secret;

use super::form::Form;
use super::page::{again, escape, fault, hidden, html, token};
use crate::access::Nobody;
use crate::problem::HttpResult;
use crate::state::App;

/// The form, or that it is not needed any more.
pub(crate) async fn page(
    Nobody(_): Nobody,
    State(app): State<App>,
    uri: Uri,
) -> HttpResult<Response> {
    if !app.services.auth.is_empty().await? {
        return Ok(html(StatusCode::GONE, "Nothing to do", DONE));
    }
    Ok(form(StatusCode::OK, &token(&uri), "", ""))
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
        Ok(_) => Ok(html(StatusCode::CREATED, "Done", MADE)),
        Err(error) => again(error, |status, words| form(status, &token, &email, words)),
    }
}

const MADE: &str = "<p>You are the administrator now. Sign in at <a href=\"/console\">/console</a>, \
    or with <code>POST /api/v1/auth/login</code>.</p>";
const DONE: &str = "<p>There is an administrator already. More are made with \
    <code>outrigger admin create</code>.</p>";

fn form(status: StatusCode, token: &str, email: &str, words: &str) -> Response {
    let form = format!(
        "{}<form method=\"post\" action=\"/setup\">{}\
         <label>E-mail address<input type=\"email\" name=\"email\" value=\"{}\" required \
         autocomplete=\"username\"></label>\
         <label>Password, at least 10 characters<input type=\"password\" name=\"password\" \
         required minlength=\"10\" autocomplete=\"new-password\"></label>\
         <button>Make me the administrator</button></form>",
        fault(words),
        hidden(token),
        escape(email)
    );
    html(status, "Set up Outrigger", &form)
}
