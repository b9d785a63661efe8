//! `POST /api/v1/queues/{queue}/lease`

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::tasks::{LeaseInput, LeaseView};

use crate::access::WorkerRole;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

/// The longest wait in a process that drains: long enough that nobody asks all the time.
const WHILE_DRAINING: Duration = Duration::from_secs(1);

pub(crate) fn doc() -> Doc {
    Doc::new("queues.lease", "Lease tasks")
        .describe(
            "For workers in any language: users with the role `worker`. Waits up to `wait_s` for a \
             task; less when this process is about to end. A lease that is not extended in time goes to \
             another worker. None is extended for long beyond `timeout_s` of its task: the first \
             heartbeat after that ends the attempt as timed out.",
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
    let ending = async {
        match app.health.is_draining() {
            true => tokio::time::sleep(WHILE_DRAINING).await,
            false => app.health.draining().await,
        }
    };
    Ok(Json(app.services.tasks.lease(&ctx, &queue, &input, ending).await?))
}
