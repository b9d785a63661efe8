//! `POST /api/v1/auth/logout`

use axum::extract::State;
use http::StatusCode;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("auth.logout", "Sign out")
        .describe("Ends this session: its next request is refused.")
        .access(Access::User)
        .answers_empty(204, "the session has ended")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
) -> HttpResult<StatusCode> {
    app.services.auth.logout(&ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}
