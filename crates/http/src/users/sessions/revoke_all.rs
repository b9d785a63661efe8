//! `DELETE /api/v1/users/{id}/sessions`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.revoke_sessions", "End all sessions of a user")
        .access(Access::Admin)
        .answers_empty(204, "the sessions have ended")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.auth.revoke_sessions_of(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
