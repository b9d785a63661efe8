//! `GET /api/v1/users/{id}/sessions`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::accounts::SessionView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.list_sessions", "List a user's sessions")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<SessionView>>(200, "a page of live sessions, the oldest first")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<SessionView>>> {
    Ok(Json(app.services.auth.sessions_of(&ctx, &id, &page).await?.into()))
}
