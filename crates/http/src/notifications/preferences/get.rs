//! `GET /api/v1/notifications/preferences`

use axum::Json;
use axum::extract::State;
use outrigger_domain::notifications::Preferences;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.get_preferences", "What I want to be told, and how")
        .describe("What is not said is wanted.")
        .access(Access::User)
        .answers::<Preferences>(200, "my preferences")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
) -> HttpResult<Json<Preferences>> {
    Ok(Json(app.services.notifications.preferences(&ctx).await?))
}
