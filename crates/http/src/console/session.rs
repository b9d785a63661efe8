//! The session of a console once it has begun: `GET /console/session`, and `POST` to its `/renew` and
//! `/end`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use outrigger_kernel::{Actor, Ctx, Error, ErrorKind, Result};

use super::cookie::{Names, check, check_site, csrf_token};
use super::sign_in::{SessionBody, admit};
use crate::access::Nobody;
use crate::problem::HttpResult;
use crate::state::{App, AppState};

/// Who has signed in, and the token that a page that was loaded anew sends from now on. Only pages of
/// this server can read the answer.
pub(crate) async fn show(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
) -> HttpResult<Json<SessionBody>> {
    check_site(&headers)?;
    let access = Names::of(&app.settings).access(&headers).ok_or_else(Error::unauthenticated)?;
    let user = match actor(&app, ctx, access).await? {
        Some(ctx) => {
            ctx.require_admin()?;
            Some(app.services.accounts.me(&ctx).await?)
        }
        None => None,
    };
    Ok(Json(SessionBody { user, csrf_token: csrf_token(access), expires_in: None }))
}

/// New tokens for the cookies. The access token may have expired, but still proves who asks.
pub(crate) async fn renew(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let names = Names::of(&app.settings);
    let access = names.access(&headers).ok_or_else(Error::unauthenticated)?;
    check(&headers, access)?;
    let refresh = names.refresh(&headers).ok_or_else(Error::unauthenticated)?;
    let tokens = app.services.auth.refresh(&ctx, refresh).await?;
    Ok(admit(&app, &ctx, tokens).await?)
}

/// Ends the session on every replica, and takes the cookies away.
pub(crate) async fn end(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let names = Names::of(&app.settings);
    if let Some(access) = names.access(&headers) {
        check(&headers, access)?;
        if let Some(ctx) = actor(&app, ctx, access).await? {
            app.services.auth.logout(&ctx).await?;
        }
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    names.forget(response.headers_mut());
    Ok(response)
}

/// The context of who has this access token; `None` when it has expired or its session has ended.
async fn actor(app: &AppState, ctx: Ctx, access: &str) -> Result<Option<Ctx>> {
    match app.services.auth.authenticate(access).await {
        Ok(actor @ Actor::User { .. }) => Ok(Some(Ctx { actor, ..ctx })),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(None),
        Err(error) => Err(error),
    }
}
