//! `POST /api/v1/tasks/retry`

use axum::Json;
use axum::extract::State;
use outrigger_domain::tasks::{ReplayInput, Replayed};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.retry_many", "Begin many tasks again")
        .describe(
            "Dead tasks, or failed or cancelled ones, get all their attempts again, the newest first. \
             While the answer has a `next_cursor`, there may be more.",
        )
        .access(Access::Admin)
        .body::<ReplayInput>()
        .answers::<Replayed>(200, "how many begin again")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Body(input): Body<ReplayInput>,
) -> HttpResult<Json<Replayed>> {
    Ok(Json(app.services.tasks.replay_many(&ctx, &input).await?))
}
