//! `GET /api/v1/auth/sessions`

use axum::Json;
use axum::extract::State;
use outrigger_domain::accounts::SessionView;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("auth.list_sessions", "List my sessions")
        .access(Access::User)
        .paged()
        .answers::<PageBody<SessionView>>(200, "a page of live sessions, the oldest first")
        .problem(422)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<SessionView>>> {
    Ok(Json(app.services.auth.sessions(&ctx, &page).await?.into()))
}
