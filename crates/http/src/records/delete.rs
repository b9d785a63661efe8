//! `DELETE /api/v1/records/{collection}/{id}`

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};

use super::RecordPath;
use super::view::preconditions;
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("records.delete", "Delete a record")
        .access(Access::Rules)
        .header("If-Match", "an ETag; the record is deleted only in that state")
        .answers_empty(204, "the record is gone")
        .problem(409)
        .problem(412)
        .problem(422)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path((collection, id)): RecordPath,
    headers: HeaderMap,
) -> HttpResult<StatusCode> {
    let expected = preconditions(&headers)?;
    app.services.records.delete(&ctx, &collection, &id, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
