//! `PUT /api/v1/records/{collection}/{id}`

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;

use super::RecordPath;
use super::view::{DataView, RecordView, preconditions, saved};
use crate::access::Anyone;
use crate::body::RawBody;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("records.replace", "Create or replace a record")
        .describe("The body is the data itself.")
        .access(Access::Rules)
        .header("If-Match", "an ETag; the record is replaced only in that state")
        .header("If-None-Match", "*; the record is written only when it is not there")
        .body::<DataView>()
        .answers::<RecordView>(200, "the record, replaced")
        .answers::<RecordView>(201, "the record, created; Location names it")
        .problem(409)
        .problem(412)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path((collection, id)): RecordPath,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> HttpResult<Response> {
    let expected = preconditions(&headers)?;
    let records = &app.services.records;
    let replaced = records.replace(&ctx, &collection, &id, &body, &expected).await?;
    Ok(saved(&collection, replaced)?)
}
