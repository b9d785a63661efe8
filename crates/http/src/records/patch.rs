//! `PATCH /api/v1/records/{collection}/{id}`

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
    Doc::new("records.patch", "Change parts of a record")
        .describe("The body is a JSON merge patch (RFC 7396) of the data: null removes a member.")
        .access(Access::Rules)
        .header("If-Match", "an ETag; the record is changed only in that state")
        .body_as::<DataView>("application/merge-patch+json")
        .answers::<RecordView>(200, "the record, changed")
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
    let changed = records.patch(&ctx, &collection, &id, &body, &expected).await?;
    Ok(saved(&collection, changed)?)
}
