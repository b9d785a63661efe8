//! `POST /api/v1/tasks/{id}/retry`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::TaskView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.retry", "Begin a task again")
        .describe("A failed, cancelled or dead task gets all its attempts again.")
        .access(Access::Admin)
        .answers::<TaskView>(200, "the task")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<TaskView>> {
    Ok(Json(app.services.tasks.replay(&ctx, &id).await?))
}
