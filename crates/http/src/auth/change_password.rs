//! `POST /api/v1/auth/change-password`

use axum::extract::State;
use http::StatusCode;
use outrigger_kernel::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::SignedIn;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PasswordChange")]
pub(crate) struct Request {
    #[schemars(extend("format" = "password"))]
    current_password: String,
    /// At least 10 characters, at most 256 bytes, not easily guessed.
    #[schemars(extend("format" = "password"))]
    new_password: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.change_password", "Change the password")
        .describe("Ends all other sessions of the user; this one lives on.")
        .access(Access::User)
        .body::<Request>()
        .answers_empty(204, "the new password holds")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Body(Request { current_password, new_password }): Body<Request>,
) -> HttpResult<StatusCode> {
    let (current, new) = (Secret::from(current_password), Secret::from(new_password));
    app.services.auth.change_password(&ctx, current, new).await?;
    Ok(StatusCode::NO_CONTENT)
}
