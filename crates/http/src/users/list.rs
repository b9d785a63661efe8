//! `GET /api/v1/users`

use axum::Json;
use axum::extract::State;
use outrigger_domain::accounts::UserView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::{PageBody, Paging};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.list", "List users")
        .access(Access::Admin)
        .paged()
        .answers::<PageBody<UserView>>(200, "a page of users, in the order in which they came")
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Paging(page): Paging,
) -> HttpResult<Json<PageBody<UserView>>> {
    Ok(Json(app.services.accounts.list(&ctx, &page).await?.into()))
}
