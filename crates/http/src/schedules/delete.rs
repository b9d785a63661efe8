//! `DELETE /api/v1/schedules/{name}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("schedules.delete", "Delete a schedule")
        .describe("Tasks that it has enqueued are run.")
        .access(Access::Admin)
        .answers_empty(204, "the schedule is gone")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.schedules.delete(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
