//! `GET /api/v1/users/me`

use axum::Json;
use axum::extract::State;
use outrigger_domain::accounts::UserView;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("users.get_me", "Read my account")
        .access(Access::User)
        .answers::<UserView>(200, "the user")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
) -> HttpResult<Json<UserView>> {
    Ok(Json(app.services.accounts.me(&ctx).await?))
}
