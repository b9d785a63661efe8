//! `POST /api/v1/queues/{queue}/pause`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("queues.pause", "Pause a queue")
        .access(Access::Admin)
        .answers_empty(204, "nothing is claimed from it; what runs goes on")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(queue): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.tasks.set_paused(&ctx, &queue, true).await?;
    Ok(StatusCode::NO_CONTENT)
}
