//! `/verify-email` and `/reset-password`: the pages behind mailed links, for deployments whose own
//! pages do not take them. To open one changes nothing: programs that look into mails do that.

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use outrigger_kernel::Secret;

use super::form::Form;
use super::page::{again, fault, hidden, html, token};
use crate::access::Nobody;
use crate::problem::HttpResult;
use crate::state::App;

/// A button that verifies the address.
pub(crate) async fn verify(Nobody(_): Nobody, uri: Uri) -> Response {
    verify_form(StatusCode::OK, &token(&uri), "")
}

/// Verifies the address, or says what is wrong.
pub(crate) async fn submit_verify(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    mut fields: Form,
) -> HttpResult<Response> {
    let token = fields.take("token").unwrap_or_default();
    match app.services.auth.verify_email(&ctx, &token).await {
        Ok(()) => Ok(done("The address is verified.")),
        Err(error) => again(error, |status, words| verify_form(status, &token, words)),
    }
}

/// A form for the new password.
pub(crate) async fn reset(Nobody(_): Nobody, uri: Uri) -> Response {
    reset_form(StatusCode::OK, &token(&uri), "")
}

/// Puts the new password, or says what is wrong.
pub(crate) async fn submit_reset(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    mut fields: Form,
) -> HttpResult<Response> {
    let token = fields.take("token").unwrap_or_default();
    let password = Secret::from(fields.take("new_password").unwrap_or_default());
    match app.services.auth.reset_password(&ctx, &token, password).await {
        Ok(()) => Ok(done("The new password holds. You are signed out on all devices.")),
        Err(error) => again(error, |status, words| reset_form(status, &token, words)),
    }
}

fn verify_form(status: StatusCode, token: &str, words: &str) -> Response {
    let form = format!(
        "{}<form method=\"post\" action=\"/verify-email\">{}<button>This address is mine</button>\
         </form>",
        fault(words),
        hidden(token)
    );
    html(status, "Verify an e-mail address", &form)
}

fn reset_form(status: StatusCode, token: &str, words: &str) -> Response {
    let form = format!(
        "{}<form method=\"post\" action=\"/reset-password\">{}<label>New password, at least 10 \
         characters<input type=\"password\" name=\"new_password\" required minlength=\"10\" \
         autocomplete=\"new-password\"></label><button>Take this password</button></form>",
        fault(words),
        hidden(token)
    );
    html(status, "Choose a new password", &form)
}

fn done(words: &str) -> Response {
    html(StatusCode::OK, "Done", &format!("<p>{words}</p>"))
}
