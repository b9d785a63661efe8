//! `DELETE /api/v1/auth/sessions`

use axum::extract::State;
use http::StatusCode;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("auth.revoke_sessions", "End all my sessions")
        .describe("Also the one that asks.")
        .access(Access::User)
        .answers_empty(204, "all sessions have ended")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
) -> HttpResult<StatusCode> {
    app.services.auth.revoke_sessions(&ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}
