//! `POST /api/v1/auth/reset-password`

use axum::extract::State;
use http::StatusCode;
use outrigger_kernel::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PasswordReset")]
pub(crate) struct Request {
    /// From the link in the mail.
    #[schemars(length(max = 256))]
    token: String,
    /// At least 10 characters, at most 256 bytes, not easily guessed.
    #[schemars(extend("format" = "password"))]
    new_password: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.reset_password", "Choose a new password with a mailed link")
        .describe("Ends all sessions of the user. The link works once.")
        .body::<Request>()
        .answers_empty(204, "the new password holds")
        .problem(409)
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    Body(Request { token, new_password }): Body<Request>,
) -> HttpResult<StatusCode> {
    app.services.auth.reset_password(&ctx, &token, Secret::from(new_password)).await?;
    Ok(StatusCode::NO_CONTENT)
}
