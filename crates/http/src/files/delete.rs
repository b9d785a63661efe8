//! `DELETE /api/v1/files/{id}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("files.delete", "Delete a file")
        .describe("For its owner and administrators.")
        .access(Access::User)
        .answers_empty(204, "it is deleted")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.files.delete(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
