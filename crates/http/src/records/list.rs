//! `GET /api/v1/records/{collection}`

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::{BufMut, BytesMut};
use http::StatusCode;
use outrigger_domain::records::{ListRequest, RecordPage};

use super::view::{PageView, json};
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::page::parameters;
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("records.list", "List records")
        .describe(
            "Filters are `field=value` and `field[op]=value` with eq, gt, gte, lt, lte and prefix, \
             on fields of declared indexes. A page may be short and still have a next one.",
        )
        .access(Access::Rules)
        .paged()
        .query(
            "sort",
            serde_json::json!({"type": "string"}),
            "fields of an index, separated by commas; with - before each: descending",
        )
        .answers::<PageView>(200, "a page of records")
        .problem(409)
        .problem(422)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
) -> HttpResult<Response> {
    let request = ListRequest::parse(parameters(query.as_deref())?.into_iter())?;
    let page = app.services.records.list(&ctx, &collection, &request).await?;
    Ok(json(StatusCode::OK, join(&page)))
}

/// The page as JSON; the records are text already.
fn join(page: &RecordPage) -> bytes::Bytes {
    let length: usize = page.items.iter().map(|item| item.len() + 1).sum();
    let mut out = BytesMut::with_capacity(length + 96);
    out.put_slice(b"{\"items\":[");
    for (position, item) in page.items.iter().enumerate() {
        if position > 0 {
            out.put_u8(b',');
        }
        out.put_slice(item);
    }
    out.put_slice(b"],\"next_cursor\":");
    match &page.next_cursor {
        // A cursor is base64url: nothing in it needs escaping.
        Some(cursor) => {
            out.put_u8(b'"');
            out.put_slice(cursor.as_bytes());
            out.put_u8(b'"');
        }
        None => out.put_slice(b"null"),
    }
    out.put_u8(b'}');
    out.freeze()
}
