//! `GET /api/v1/files`

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use outrigger_domain::files::FileView;
use outrigger_domain::records::parse_limit;
use outrigger_kernel::{Error, PageRequest, limits};
use serde_json::json;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, parameters};
use crate::problem::{HttpResult, Problem};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("files.list", "List files")
        .describe("One's own, the newest first. Administrators see all, or those of `owner`.")
        .access(Access::User)
        .paged()
        .query("owner", json!({"type": "string"}), "only files of the user with this id")
        .answers::<PageBody<FileView>>(200, "a page of files")
        .problem(422)
}

/// The parameters of the list.
pub(crate) struct Listing {
    owner: Option<String>,
    page: PageRequest,
}

impl FromRequestParts<App> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut page = PageRequest { limit: limits::PAGE_DEFAULT, cursor: None };
        let mut owner = None;
        for (name, value) in parameters(parts.uri.query())? {
            match name.as_ref() {
                "limit" => page.limit = parse_limit(&value)?,
                "cursor" => page.cursor = Some(value.into_owned()),
                "owner" => owner = Some(value.into_owned()),
                other => {
                    return Err(Problem(Error::invalid(
                        &["query", other],
                        "unknown_parameter",
                        "this list takes owner, limit and cursor",
                    )));
                }
            }
        }
        Ok(Self { owner, page })
    }
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Listing { owner, page }: Listing,
) -> HttpResult<Json<PageBody<FileView>>> {
    let page = app.services.files.list(&ctx, owner.as_deref(), &page).await?;
    Ok(Json(page.into()))
}
