//! `POST /api/v1/tasks/{id}/fail`

use axum::extract::{Path, State};
use http::StatusCode;
use outrigger_domain::tasks::FailInput;

use crate::access::WorkerRole;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.fail", "Say that a task has failed")
        .describe("For workers that have leased the task. It is tried again as its kind says, unless `retry` is false. 409 `lease_lost` when the lease has ended.")
        .access(Access::Worker)
        .body::<FailInput>()
        .answers_empty(204, "it is noted")
        .problem(409)
}

pub(crate) async fn handle(
    WorkerRole(ctx): WorkerRole,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(input): Body<FailInput>,
) -> HttpResult<StatusCode> {
    app.services.tasks.fail(&ctx, &id, &input).await?;
    Ok(StatusCode::NO_CONTENT)
}
