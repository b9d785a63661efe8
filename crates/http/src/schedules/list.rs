//! `GET /api/v1/schedules`

use axum::Json;
use axum::extract::State;
use outrigger_domain::tasks::schedules::ScheduleView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("schedules.list", "List schedules")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<ScheduleView>>(200, "a page of schedules, by name")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<ScheduleView>>> {
    Ok(Json(app.services.schedules.list(&ctx, &page).await?.into()))
}
