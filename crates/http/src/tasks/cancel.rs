//! `POST /api/v1/tasks/{id}/cancel`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::TaskView;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.cancel", "Cancel a task")
        .describe("A task that waits is cancelled at once; the worker of one that runs is told with its next sign of life.")
        .access(Access::User)
        .answers::<TaskView>(200, "the task")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<TaskView>> {
    Ok(Json(app.services.tasks.cancel(&ctx, &id).await?))
}
