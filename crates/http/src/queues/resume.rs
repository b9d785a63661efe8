//! `POST /api/v1/queues/{queue}/resume`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("queues.resume", "Resume a queue")
        .access(Access::Admin)
        .answers_empty(204, "tasks are claimed again")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(queue): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.tasks.set_paused(&ctx, &queue, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
