//! The bodies of requests: bounded, then checked against the schema that the API document shows.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use outrigger_domain::json;
use outrigger_kernel::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::state::App;

/// A JSON body of a known type.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The bytes of a JSON body, whose shape the service checks itself.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<T: DeserializeOwned + JsonSchema + 'static> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let RawBody(bytes) = RawBody::from_request(request, app).await?;
        let value = json::parse(&bytes).map_err(|error| error.within(&["body"]))?;
        app.schema_of::<T>().check(&value).map_err(|error| error.within(&["body"]))?;
        let typed = serde_json::from_value(value)
            .map_err(|error| Error::invalid(&["body"], "type", error.to_string()))?;
        Ok(Self(typed))
    }
}

impl FromRequest<App> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        require_json(request.headers())?;
        Ok(Self(read(request, app.settings.body_bytes_max).await?))
    }
}

/// Reads a body up to a bound.
pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Bytes> {
    match Limited::new(request.into_body(), bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::new(
            ErrorKind::TooLarge,
            "body_too_large",
            format!("the body is larger than {bytes_max} bytes"),
        )),
        Err(_) => Err(Error::bad_request("incomplete_body", "the body ended too early")),
    }
}

fn require_json(headers: &HeaderMap) -> Result<()> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Err(not_json()) };
    let essence = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"));
    if is_json { Ok(()) } else { Err(not_json()) }
}

fn not_json() -> Error {
    Error::new(
        ErrorKind::UnsupportedMediaType,
        "unsupported_media_type",
        "send the body with the header Content-Type: application/json",
    )
}
