//! `DELETE /api/v1/users/me`

use axum::extract::State;
use http::StatusCode;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.delete_me", "Delete my account")
        .describe("Ends all sessions. The last administrator cannot leave.")
        .access(Access::User)
        .answers_empty(204, "the account is gone")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
) -> HttpResult<StatusCode> {
    app.services.accounts.delete_me(&ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}
