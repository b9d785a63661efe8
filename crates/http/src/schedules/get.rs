//! `GET /api/v1/schedules/{name}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::schedules::ScheduleView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("schedules.get", "Read a schedule")
        .access(Access::Admin)
        .answers::<ScheduleView>(200, "the schedule, with its next ticks")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
) -> HttpResult<Json<ScheduleView>> {
    Ok(Json(app.services.schedules.get(&ctx, &name).await?))
}
