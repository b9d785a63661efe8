//! `PATCH /api/v1/notifications/{id}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::notifications::{ItemPatch, ItemView};

use super::reader;
use crate::access::SignedIn;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.update", "Mark what I was told as read, or not")
        .access(Access::User)
        .body::<ItemPatch>()
        .answers::<ItemView>(200, "the notification, changed")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(patch): Body<ItemPatch>,
) -> HttpResult<Json<ItemView>> {
    let reader = reader(&app, &ctx).await?;
    Ok(Json(app.services.notifications.mark(&ctx, &reader, &id, patch).await?))
}
