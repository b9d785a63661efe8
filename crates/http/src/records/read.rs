//! `GET /api/v1/records/{collection}/{id}`

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::future::join;
use http::header::{AUTHORIZATION, CACHE_CONTROL, ETAG};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outrigger_domain::records::{Ahead, Source};
use outrigger_kernel::Ctx;

use super::RecordPath;
use super::view::{RecordView, json, preconditions, value};
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

pub(crate) fn doc() -> Doc {
    Doc::new("records.read", "Read a record")
        .describe("Cache-Status (RFC 9211) says whether the answer came from the cache.")
        .access(Access::Rules)
        .header("If-None-Match", "an ETag; answers 304 while the record has it")
        .answers::<RecordView>(200, "the record")
        .answers_empty(304, "the client has this state already")
        .problem(422)
}

/// [`Anyone`], and what the cache had of the record while the session was looked up: with both on
/// their way at once, a request with a token takes no longer than one without.
pub(crate) struct Asked {
    ctx: Ctx,
    collection: String,
    id: String,
    ahead: Ahead,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let path = RecordPath::from_request_parts(parts, app).await;
        let Path((collection, id)) = path.map_err(IntoResponse::into_response)?;
        let look = async {
            match parts.headers.contains_key(AUTHORIZATION) {
                true => app.services.records.look_ahead(&collection, &id).await,
                false => Ahead::default(),
            }
        };
        let (ahead, anyone) = join(look, Anyone::of(parts, app)).await;
        let Anyone(ctx) = anyone.map_err(IntoResponse::into_response)?;
        Ok(Self { ctx, collection, id, ahead })
    }
}

pub(crate) async fn handle(
    asked: Asked,
    State(app): State<App>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let Asked { ctx, collection, id, ahead } = asked;
    let expected = preconditions(&headers)?;
    let found = app.services.records.read_on(&ctx, &collection, &id, ahead).await?;
    let mut response = if expected.is_not_modified(&found.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json(StatusCode::OK, found.json)
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, value(found.etag.to_string())?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(CACHE_STATUS, HeaderValue::from_static(cache_status(found.source)));
    Ok(response)
}

fn cache_status(source: Source) -> &'static str {
    match source {
        Source::Cache => "Outrigger; hit",
        Source::StoreThenCached => "Outrigger; fwd=miss; stored",
        Source::Store => "Outrigger; fwd=miss",
        Source::StoreAlone => "Outrigger; fwd=bypass",
    }
}
