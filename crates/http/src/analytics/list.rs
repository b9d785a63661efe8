//! `GET /api/v1/analytics/events`

use axum::Json;
use axum::extract::State;
use outrigger_domain::analytics::EventName;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("analytics.list", "List the names of events")
        .describe("Names of events that were counted, by the alphabet.")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<EventName>>(200, "a page of names")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<EventName>>> {
    Ok(Json(app.services.analytics.list(&ctx, &page).await?.into()))
}
