//! `GET /api/v1/audit`

use axum::Json;
use axum::extract::State;
use outrigger_domain::audit::Entry;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("audit.list", "List who did what")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<Entry>>(200, "a page of the audit log, the latest first")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<Entry>>> {
    Ok(Json(app.services.audit.list(&ctx, &page).await?.into()))
}
