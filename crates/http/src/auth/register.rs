//! `POST /api/v1/auth/register`

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use outrigger_domain::accounts::{NewUser, UserView};
use outrigger_kernel::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::Nobody;
use crate::body::Body;
use crate::operation::Doc;
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::state::App;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Registration")]
pub(crate) struct Request {
    /// The address to sign in with; case does not matter.
    email: String,
    /// At least 10 characters, at most 256 bytes, not easily guessed.
    #[schemars(extend("format" = "password"))]
    password: String,
    /// What to call the person, up to 100 characters.
    name: Option<String>,
    /// BCP 47, such as `de-AT`.
    locale: Option<String>,
    /// IANA, such as `Europe/Vienna`.
    time_zone: Option<String>,
    /// ISO 4217, such as `EUR`.
    currency: Option<String>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("auth.register", "Make an account")
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body::<Request>()
        .answers::<UserView>(201, "the user")
        .problem(403)
        .problem(409)
}

pub(crate) async fn handle(
    Nobody(ctx): Nobody,
    State(app): State<App>,
    headers: HeaderMap,
    Body(request): Body<Request>,
) -> HttpResult<(StatusCode, Json<UserView>)> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    let Request { email, password, name, locale, time_zone, currency } = request;
    let new = NewUser { email, name, locale, time_zone, currency };
    let user = app.services.auth.register(&ctx, new, Secret::from(password), key).await?;
    Ok((StatusCode::CREATED, Json(user)))
}
