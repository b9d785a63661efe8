//! `POST /api/v1/auth/token`

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use outrigger_domain::auth::{Credentials, TokenAnswer};
use outrigger_kernel::{Error, Secret};
use schemars::JsonSchema;

use super::form::Form;
use super::user_agent;
use crate::access::Nobody;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::state::App;

/// The password grant of OAuth2 (RFC 6749, section 4.3).
#[derive(JsonSchema)]
#[schemars(rename = "TokenForm")]
#[expect(dead_code, reason = "describes the form for the API document")]
struct Request {
    /// The e-mail address.
    username: String,
    #[schemars(extend("format" = "password"))]
    password: String,
    /// `password`, if it is there.
    #[schemars(extend("enum" = ["password"]))]
    grant_type: Option<String>,
    /// Not used.
    scope: Option<String>,
    /// Not used.
    client_id: Option<String>,
    /// Not used.
    client_secret: Option<String>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.token", "Sign in with the password form of OAuth2")
        .describe("The same as login, in the form that Authorize on the page `/docs` sends.")
        .body_as::<Request>("application/x-www-form-urlencoded")
        .answers::<TokenAnswer>(200, "the tokens of the new session")
        .problem(403)
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
    mut form: Form,
) -> HttpResult<Json<TokenAnswer>> {
    if form.take("grant_type").is_some_and(|kind| kind != "password") {
        let message = "only the grant type password is known here";
        return Err(Error::invalid(&["body", "grant_type"], "grant_type", message).into());
    }
    let email = form.require("username")?;
    let password = Secret::from(form.require("password")?);
    let credentials = Credentials { email, password, user_agent: user_agent(&headers) };
    Ok(Json(app.services.auth.login(&ctx, credentials).await?))
}
