//! `/unsubscribe`: ends mails of a category. Mail programs post to it with one click (RFC 8058);
//! a person who opens it finds a button, because programs that check mails open links.

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};

use crate::access::Nobody;
use crate::auth::page::{again, escape, fault, html, token};
use crate::problem::HttpResult;
use crate::state::App;

/// A button.
pub(crate) async fn page(Nobody(_): Nobody, uri: Uri) -> Response {
    form(StatusCode::OK, &token(&uri), "")
}

/// Ends them, however often it is asked. The body says nothing that the address does not.
pub(crate) async fn submit(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    uri: Uri,
) -> HttpResult<Response> {
    let token = token(&uri);
    match app.services.notifications.unsubscribe(&ctx, &token).await {
        Ok(()) => {
            let words = "<p>You get no more mails of this kind.</p>";
            Ok(html(StatusCode::OK, "Done", words))
        }
        Err(error) => again(error, |status, words| form(status, &token, words)),
    }
}

fn form(status: StatusCode, token: &str, words: &str) -> Response {
    let form = format!(
        "{}<form method=\"post\" action=\"/unsubscribe?token={}\">\
         <button>Send me no more mails of this kind</button></form>",
        fault(words),
        escape(&form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>())
    );
    html(status, "Unsubscribe", &form)
}
