//! `PUT /api/v1/schedules/{name}`

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use outrigger_domain::tasks::schedules::{ScheduleInput, ScheduleView};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("schedules.put", "Define a schedule")
        .describe(
            "Each tick of `cron` in `time_zone` enqueues `task`, once. When a schedule names hours \
             and daylight saving takes away the local time of a tick, it comes at the end of the \
             gap; when a local time comes twice, the tick comes the first time. Schedules for every \
             hour (`*`) follow the time that passes. A schedule that stands in the settings cannot \
             be changed here.",
        )
        .access(Access::Admin)
        .body::<ScheduleInput>()
        .answers::<ScheduleView>(200, "the schedule, changed")
        .answers::<ScheduleView>(201, "the schedule, new")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
    Body(input): Body<ScheduleInput>,
) -> HttpResult<(StatusCode, Json<ScheduleView>)> {
    let (schedule, is_new) = app.services.schedules.put(&ctx, &name, input).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(schedule)))
}
