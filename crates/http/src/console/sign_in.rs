//! `POST /console/session`: signs an administrator in.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use outrigger_domain::accounts::UserView;
use outrigger_domain::auth::{Credentials, TokenAnswer};
use outrigger_kernel::{Actor, Ctx, Error, ErrorKind, Result, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cookie::{Names, check_site, csrf_token};
use crate::access::Nobody;
use crate::auth::user_agent;
use crate::body::Body;
use crate::problem::HttpResult;
use crate::state::{App, AppState};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    email: String,
    password: String,
}

/// What the page is told of its session.
#[derive(Serialize)]
pub(crate) struct SessionBody {
    /// Who has signed in; null when the access token must be renewed first.
    pub(super) user: Option<UserView>,
    /// For the header `X-CSRF-Token` of the next requests.
    pub(super) csrf_token: String,
    /// Seconds until the access token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_in: Option<u64>,
}

/// Each sign-in starts a session of its own: cookies that were there before are not looked at.
pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
    Body(Request { email, password }): Body<Request>,
) -> HttpResult<Response> {
    check_site(&headers)?;
    let password = Secret::from(password);
    let credentials = Credentials { email, password, user_agent: user_agent(&headers) };
    let tokens = app.services.auth.login(&ctx, credentials).await?;
    Ok(admit(&app, &ctx, tokens).await?)
}

/// Hands the tokens of an administrator to the browser; of anybody else the session ends here.
///
/// # Errors
/// `not_an_administrator`.
pub(super) async fn admit(app: &AppState, ctx: &Ctx, tokens: TokenAnswer) -> Result<Response> {
    let role = tokens.user.role.clone();
    if !role.is_admin() {
        let (id, session) = (tokens.user.id.as_str().into(), tokens.session_id.as_str().into());
        let actor = Actor::User { id, role, session };
        app.services.auth.logout(&Ctx { actor, ..ctx.clone() }).await?;
        return Err(Error::new(
            ErrorKind::Forbidden,
            "not_an_administrator",
            "the console is for administrators",
        ));
    }
    let body = SessionBody {
        csrf_token: csrf_token(&tokens.access_token),
        expires_in: Some(tokens.expires_in),
        user: Some(tokens.user.clone()),
    };
    let mut response = Json(body).into_response();
    Names::of(&app.settings).keep(response.headers_mut(), &tokens);
    Ok(response)
}
