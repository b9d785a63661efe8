//! `GET /api/v1/replicas`

use axum::Json;
use axum::extract::State;
use outrigger_domain::replicas::ReplicaView;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

/// The processes that are alive.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReplicasBody {
    /// By role and name.
    items: Vec<ReplicaView>,
    /// Whether these are all: the others tell of themselves through the database.
    complete: bool,
}

pub(crate) fn doc() -> Doc {
    Doc::new("replicas.list", "List the processes that are alive")
        .describe("One that ends without saying so is listed for another 30 seconds.")
        .access(Access::Admin)
        .answers::<ReplicasBody>(200, "the processes, with role, release and health")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<ReplicasBody>> {
    let fleet = app.services.replicas.list(&ctx).await?;
    Ok(Json(ReplicasBody { items: fleet.replicas, complete: fleet.complete }))
}
