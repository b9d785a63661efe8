//! `POST /api/v1/auth/forgot-password`

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
#[schemars(rename = "MailRequest")]
pub(crate) struct Request {
    /// The address of the account; case does not matter.
    #[schemars(length(max = 254))]
    pub(super) email: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.forgot_password", "Ask for a link to a new password")
        .describe(
            "Mails a one-time link if there is such an account. The answer is the same, and takes \
             as long, when there is none.",
        )
        .body::<Request>()
        .answers_empty(202, "if there is such an account, a mail is on its way")
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    Body(Request { email }): Body<Request>,
) -> HttpResult<StatusCode> {
    app.services.auth.forgot_password(&ctx, &email).await?;
    Ok(StatusCode::ACCEPTED)
}
