//! `/.well-known/`: the keys that verify access tokens (RFC 7517), and OpenID discovery.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::access::Nobody;
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) async fn jwks(_: Nobody, State(app): State<App>) -> HttpResult<Response> {
    let keys = app.services.auth.jwks().await?;
    Ok(public(([(CONTENT_TYPE, "application/jwk-set+json")], keys)))
}

pub(crate) async fn openid_configuration(_: Nobody, State(app): State<App>) -> Response {
    public(Json(app.services.auth.openid_configuration()))
}

/// Anybody may keep these for a while; a new key is published long before it signs.
fn public(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let value = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}
