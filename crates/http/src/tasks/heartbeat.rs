//! `POST /api/v1/tasks/{id}/heartbeat`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::{HeartbeatInput, HeartbeatView};

use crate::access::WorkerRole;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.heartbeat", "Extend a lease")
        .describe(
            "For workers that have leased the task. 409 `lease_lost` when the lease has ended, or ends \
             now because the attempt has taken longer than `timeout_s`.",
        )
        .access(Access::Worker)
        .body::<HeartbeatInput>()
        .answers::<HeartbeatView>(200, "the lease holds")
        .problem(409)
}

pub(crate) async fn handle(
    WorkerRole(ctx): WorkerRole,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(input): Body<HeartbeatInput>,
) -> HttpResult<Json<HeartbeatView>> {
    Ok(Json(app.services.tasks.heartbeat(&ctx, &id, &input).await?))
}
