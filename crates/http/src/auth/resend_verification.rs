//! `POST /api/v1/auth/verify-email/resend`

use axum::extract::State;
use http::StatusCode;

use super::forgot_password::Request;
use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("auth.resend_verification", "Ask for the link that verifies an address again")
        .describe(
            "Mails a one-time link if there is such an account and its address is not verified \
             yet. The answer is the same, and takes as long, when there is none.",
        )
        .body::<Request>()
        .answers_empty(202, "if there is something to verify, a mail is on its way")
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    Body(Request { email }): Body<Request>,
) -> HttpResult<StatusCode> {
    app.services.auth.resend_verification(&ctx, &email).await?;
    Ok(StatusCode::ACCEPTED)
}
