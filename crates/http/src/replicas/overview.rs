//! `GET /api/v1/replicas/overview`

use axum::Json;
use axum::extract::State;
use outrigger_domain::replicas::Overview;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("replicas.overview", "What all processes did in the last ten minutes")
        .describe(
            "The same figures as the metrics, added up. The process that answers is up to date within \
             5 seconds, the others within 15.",
        )
        .access(Access::Admin)
        .answers::<Overview>(200, "a point for each 5 seconds")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<Overview>> {
    Ok(Json(app.services.replicas.overview(&ctx).await?))
}
