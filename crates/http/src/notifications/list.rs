//! `GET /api/v1/notifications`

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use outrigger_domain::notifications::ItemView;
use outrigger_domain::records::parse_limit;
use outrigger_kernel::{Error, PageRequest, limits};
use serde_json::json;

use super::reader;
use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, parameters};
use crate::problem::{HttpResult, Problem};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.list", "List what I was told")
        .describe("The newest come first, in the words of my language. Kept for 90 days.")
        .access(Access::User)
        .paged()
        .query("unread", json!({"type": "boolean"}), "true: only what is not read")
        .answers::<PageBody<ItemView>>(200, "a page of notifications")
        .problem(422)
}

/// The parameters of the list.
pub(crate) struct Listing(bool, PageRequest);

impl FromRequestParts<App> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let invalid = |name: &str, code: &'static str, message: &str| {
            Problem(Error::invalid(&["query", name], code, message))
        };
        let mut unread = false;
        let mut page = PageRequest { limit: limits::PAGE_DEFAULT, cursor: None };
        for (name, value) in parameters(parts.uri.query())? {
            match (name.as_ref(), value.as_ref()) {
                ("limit", value) => page.limit = parse_limit(value)?,
                ("cursor", value) => page.cursor = Some(value.to_owned()),
                ("unread", "true") => unread = true,
                ("unread", "false") => unread = false,
                ("unread", _) => return Err(invalid("unread", "type", "true or false")),
                (other, _) => {
                    let message = "this list takes unread, limit and cursor";
                    return Err(invalid(other, "unknown_parameter", message));
                }
            }
        }
        Ok(Self(unread, page))
    }
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Listing(unread, page): Listing,
) -> HttpResult<Json<PageBody<ItemView>>> {
    let reader = reader(&app, &ctx).await?;
    Ok(Json(app.services.notifications.inbox(&ctx, &reader, unread, &page).await?.into()))
}
