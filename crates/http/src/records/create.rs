//! `POST /api/v1/records/{collection}`

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName};

use super::view::{DataView, RecordView, header, saved};
use crate::access::Anyone;
use crate::body::RawBody;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) fn doc() -> Doc {
    Doc::new("records.create", "Create a record")
        .describe("The body is the data itself; the record gets an id.")
        .access(Access::Rules)
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body::<DataView>()
        .answers::<RecordView>(201, "the record; Location names it")
        .problem(409)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path(collection): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> HttpResult<Response> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    let created = app.services.records.create(&ctx, &collection, &body, key).await?;
    Ok(saved(&collection, created)?)
}
