//! `DELETE /api/v1/auth/sessions/{id}`

use axum::extract::{Path, State};
use http::StatusCode;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("auth.revoke_session", "End one of my sessions")
        .access(Access::User)
        .answers_empty(204, "the session has ended")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<StatusCode> {
    app.services.auth.revoke_session(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
