//! `POST /api/v1/queues/{queue}/lease`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::{LeaseInput, LeaseView};

use crate::access::WorkerRole;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("queues.lease", "Lease tasks")
        .describe(
            "For workers in any language: users with the role `worker`. Waits up to `wait_s` for a \
             task. A lease that is not extended in time goes to another worker.",
        )
        .access(Access::Worker)
        .body::<LeaseInput>()
        .answers::<LeaseView>(200, "the tasks; none when there was none in time")
}

pub(crate) async fn handle(
    WorkerRole(ctx): WorkerRole,
    State(app): State<App>,
    Path(queue): Path<String>,
    Body(input): Body<LeaseInput>,
) -> HttpResult<Json<LeaseView>> {
    Ok(Json(app.services.tasks.lease(&ctx, &queue, &input).await?))
}
