//! `GET /api/v1/notifications/messages`

use axum::Json;
use axum::extract::State;
use outrigger_domain::notifications::Templates;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.list_messages", "List the messages that users are sent")
        .access(Access::Admin)
        .answers::<Templates>(200, "the names of the messages, and the languages they are in")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<Templates>> {
    Ok(Json(app.services.notifications.templates(&ctx)?))
}
