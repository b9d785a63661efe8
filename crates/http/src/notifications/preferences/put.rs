//! `PUT /api/v1/notifications/preferences`

use axum::Json;
use axum::extract::State;
use outrigger_domain::notifications::Preferences;

use crate::access::SignedIn;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.put_preferences", "Say what I want to be told, and how")
        .describe("Replaces all of it. Mails of the category account cannot be ended.")
        .access(Access::User)
        .body::<Preferences>()
        .answers::<Preferences>(200, "my preferences")
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Body(new): Body<Preferences>,
) -> HttpResult<Json<Preferences>> {
    Ok(Json(app.services.notifications.set_preferences(&ctx, new).await?))
}
