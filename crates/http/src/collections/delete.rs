//! `DELETE /api/v1/collections/{name}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("collections.delete", "Delete a collection and all of its records")
        .access(Access::Admin)
        .answers_empty(204, "the collection is gone")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.records.delete_collection(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
