//! `POST /api/v1/auth/verify-email`

use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmailVerification")]
pub(crate) struct Request {
    /// From the link in the mail.
    #[schemars(length(max = 256))]
    token: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.verify_email", "Verify an address with a mailed link")
        .describe("The link works once.")
        .body::<Request>()
        .answers_empty(204, "the address is known to be the user's own")
        .problem(409)
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    Body(Request { token }): Body<Request>,
) -> HttpResult<StatusCode> {
    app.services.auth.verify_email(&ctx, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}
