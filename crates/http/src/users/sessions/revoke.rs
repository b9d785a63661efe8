//! `DELETE /api/v1/users/{id}/sessions/{session}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.revoke_session", "End a session of a user")
        .describe("Its next request is refused, on every replica.")
        .access(Access::Admin)
        .answers_empty(204, "the session has ended")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path((id, session)): Path<(String, String)>,
) -> HttpResult<StatusCode> {
    app.services.auth.revoke_session_of(&ctx, &id, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}
