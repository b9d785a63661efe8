//! `GET /api/v1/collections/{name}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::records::CollectionView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("collections.get", "Read a collection's definition")
        .access(Access::Admin)
        .answers::<CollectionView>(200, "the collection")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
) -> HttpResult<Json<CollectionView>> {
    Ok(Json(app.services.records.get_collection(&ctx, &name).await?))
}
