//! `PATCH /api/v1/users/{id}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::accounts::{AdminPatch, UserView};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.update", "Change a user")
        .describe(
            "A new role holds from the user's next request on. Disabling ends all sessions of \
             the user. The last administrator cannot be demoted or disabled.",
        )
        .access(Access::Admin)
        .body::<AdminPatch>()
        .answers::<UserView>(200, "the user, changed")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(patch): Body<AdminPatch>,
) -> HttpResult<Json<UserView>> {
    Ok(Json(app.services.accounts.update(&ctx, &id, patch).await?))
}
