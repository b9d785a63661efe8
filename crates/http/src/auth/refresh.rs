//! `POST /api/v1/auth/refresh`

use axum::Json;
use axum::extract::State;
use outrigger_domain::auth::TokenAnswer;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Refresh")]
pub(crate) struct Request {
    /// The refresh token of the last login or refresh.
    refresh_token: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.refresh", "Renew the tokens of a session")
        .describe(
            "Each refresh token is good for one use. One that comes a second time ends its \
             session, because somebody else has it.",
        )
        .body::<Request>()
        .answers::<TokenAnswer>(200, "the new tokens; the old refresh token is void")
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    Body(request): Body<Request>,
) -> HttpResult<Json<TokenAnswer>> {
    Ok(Json(app.services.auth.refresh(&ctx, &request.refresh_token).await?))
}
