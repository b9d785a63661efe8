//! `PUT /api/v1/collections/{name}`

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use outrigger_domain::records::{CollectionInput, CollectionView};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("collections.put", "Define a collection")
        .describe(
            "Records that are there are kept. When the indexes change they are re-indexed in the \
             background; `indexing` shows the progress.",
        )
        .access(Access::Admin)
        .body::<CollectionInput>()
        .answers::<CollectionView>(200, "the collection, changed")
        .answers::<CollectionView>(201, "the collection, new")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
    Body(input): Body<CollectionInput>,
) -> HttpResult<(StatusCode, Json<CollectionView>)> {
    let (collection, is_new) = app.services.records.put_collection(&ctx, &name, input).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(collection)))
}
