//! Extractors that are the access rules: the type of a handler's first argument says who may call.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use http::header::AUTHORIZATION;
use http::request::Parts;
use outrigger_domain::tasks;
use outrigger_kernel::{Actor, Ctx, Error, Result};

use crate::console;
use crate::problem::Problem;
use crate::request_info::RequestInfo;
use crate::state::App;

/// Anybody may call, and who signed in does not matter: the body proves who calls, or nothing needs
/// to. An `Authorization` header is not looked at, so that an expired token, which many clients
/// send with everything, does not keep its owner from renewing it.
#[derive(Debug)]
pub struct Nobody(pub Ctx);

/// Anybody may call; who signed in is known. What may be done is decided by the service, from the
/// rules of a collection.
#[derive(Debug)]
pub struct Anyone(pub Ctx);

/// A user with a live session.
#[derive(Debug)]
pub struct SignedIn(pub Ctx);

/// A user with the role admin.
#[derive(Debug)]
pub struct Administrator(pub Ctx);

/// A user with the role worker, or an administrator.
#[derive(Debug)]
pub struct WorkerRole(pub Ctx);

impl FromRequestParts<App> for Nobody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let info = request_info(parts)?;
        Ok(Self(count(app, &info, Ok(Actor::Anonymous)).await?))
    }
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Self::of(parts, app).await
    }
}

impl Anyone {
    /// Who asks; for extractors that do something else meanwhile.
    pub(crate) async fn of(parts: &Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self(admit(parts, app).await?))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ctx = admit(parts, app).await?;
        ctx.require_user()?;
        Ok(Self(ctx))
    }
}

impl FromRequestParts<App> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ctx = admit(parts, app).await?;
        ctx.require_admin()?;
        Ok(Self(ctx))
    }
}

impl FromRequestParts<App> for WorkerRole {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ctx = admit(parts, app).await?;
        tasks::require_worker(&ctx)?;
        Ok(Self(ctx))
    }
}

/// Who calls, and whether they have not called too often.
async fn admit(parts: &Parts, app: &App) -> Result<Ctx> {
    let info = request_info(parts)?;
    let identified = match token(parts, app) {
        Ok(Some(token)) => app.services.auth.authenticate(token).await,
        Ok(None) => Ok(Actor::Anonymous),
        Err(error) => Err(error),
    };
    let ctx = count(app, &info, identified).await?;
    if let Actor::User { id, .. } = &ctx.actor {
        let _ = info.actor.set(id.clone());
    }
    Ok(ctx)
}

/// What the layers know of the request; now its route is known too.
fn request_info(parts: &Parts) -> Result<Arc<RequestInfo>> {
    let info = parts
        .extensions
        .get::<Arc<RequestInfo>>()
        .cloned()
        .ok_or_else(|| Error::internal("the layers are not in front of this route"))?;
    if let Some(route) = parts.extensions.get::<MatchedPath>() {
        let _ = info.route.set(route.clone());
    }
    Ok(info)
}

/// Counts the request, also one whose caller could not be identified.
async fn count(app: &App, info: &RequestInfo, identified: Result<Actor>) -> Result<Ctx> {
    let caller = identified.as_ref().unwrap_or(&Actor::Anonymous);
    if let Some(allowance) = app.services.admission.count(caller, info.address).await {
        let _ = info.allowance.set(allowance);
        allowance.check()?;
    }
    Ok(Ctx {
        actor: identified?,
        request_id: info.request_id.clone(),
        address: Some(info.address),
        deadline: None,
        trace: info.trace,
    })
}

/// The token in the header; or in the console's cookie, when the request is the console's own.
fn token<'a>(parts: &'a Parts, app: &App) -> Result<Option<&'a str>> {
    match bearer(parts)? {
        Some(token) => Ok(Some(token)),
        None => console::access_token(&parts.headers, &app.settings),
    }
}

/// The token of the `Authorization` header (RFC 6750).
fn bearer(parts: &Parts) -> Result<Option<&str>> {
    let Some(value) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Error::unauthenticated())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Error::unauthenticated()),
    }
}
