//! `GET /api/v1/tasks/{id}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::TaskView;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.get", "Read a task")
        .describe("Administrators see every task, others those that they have enqueued.")
        .access(Access::User)
        .answers::<TaskView>(200, "the task")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<TaskView>> {
    Ok(Json(app.services.tasks.get(&ctx, &id).await?))
}
