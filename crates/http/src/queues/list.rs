//! `GET /api/v1/queues`

use axum::Json;
use axum::extract::State;
use outrigger_domain::tasks::QueueView;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

/// All queues.
#[derive(Serialize, JsonSchema)]
pub(crate) struct QueuesBody {
    /// By name.
    items: Vec<QueueView>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("queues.list", "List queues")
        .access(Access::Admin)
        .answers::<QueuesBody>(200, "the queues, with how full they are")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<QueuesBody>> {
    Ok(Json(QueuesBody { items: app.services.tasks.queues(&ctx).await? }))
}
