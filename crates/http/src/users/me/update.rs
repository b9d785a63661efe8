//! `PATCH /api/v1/users/me`

use axum::Json;
use axum::extract::State;
use outrigger_domain::accounts::{ProfilePatch, UserView};

use crate::access::SignedIn;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.update_me", "Change my account")
        .describe("A field that is absent stays; one that is null is cleared.")
        .access(Access::User)
        .body::<ProfilePatch>()
        .answers::<UserView>(200, "the user, changed")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Body(patch): Body<ProfilePatch>,
) -> HttpResult<Json<UserView>> {
    Ok(Json(app.services.accounts.update_me(&ctx, patch).await?))
}
