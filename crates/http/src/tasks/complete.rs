//! `POST /api/v1/tasks/{id}/complete`

use axum::extract::{Path, State};
use http::StatusCode;
use outrigger_domain::tasks::CompleteInput;

use crate::access::WorkerRole;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.complete", "Say that a task is done")
        .describe(
            "For workers that have leased the task. 409 `lease_lost` when the lease has ended.",
        )
        .access(Access::Worker)
        .body::<CompleteInput>()
        .answers_empty(204, "it is noted")
        .problem(409)
}

pub(crate) async fn handle(
    WorkerRole(ctx): WorkerRole,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(input): Body<CompleteInput>,
) -> HttpResult<StatusCode> {
    app.services.tasks.complete(&ctx, &id, &input).await?;
    Ok(StatusCode::NO_CONTENT)
}
