//! `DELETE /api/v1/users/{id}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.delete", "Delete a user")
        .describe("Ends all sessions of the user. The last administrator cannot be deleted.")
        .access(Access::Admin)
        .answers_empty(204, "the user is gone")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.accounts.delete(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
