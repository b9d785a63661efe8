//! `GET /api/v1/collections`

use axum::Json;
use axum::extract::State;
use outrigger_domain::records::CollectionView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("collections.list", "List collections")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<CollectionView>>(200, "a page of collections, by name")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<CollectionView>>> {
    Ok(Json(app.services.records.list_collections(&ctx, &page).await?.into()))
}
