//! `POST /api/v1/auth/login`

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use outrigger_domain::auth::{Credentials, TokenAnswer};
use outrigger_kernel::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use super::user_agent;
use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Login")]
pub(crate) struct Request {
    /// As when registering; case does not matter.
    email: String,
    #[schemars(extend("format" = "password"))]
    password: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.login", "Sign in")
        .describe(
            "Starts a session. Send the access token as `Authorization: Bearer …`; when it \
             expires, get a new one with the refresh token.",
        )
        .body::<Request>()
        .answers::<TokenAnswer>(200, "the tokens of the new session")
        .problem(403)
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
    Body(Request { email, password }): Body<Request>,
) -> HttpResult<Json<TokenAnswer>> {
    let password = Secret::from(password);
    let credentials = Credentials { email, password, user_agent: user_agent(&headers) };
    Ok(Json(app.services.auth.login(&ctx, credentials).await?))
}
