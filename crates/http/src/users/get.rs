//! `GET /api/v1/users/{id}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::accounts::UserView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.get", "Read a user").access(Access::Admin).answers::<UserView>(200, "the user")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<UserView>> {
    Ok(Json(app.services.accounts.get(&ctx, &id).await?))
}
