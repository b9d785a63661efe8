//! `POST /api/v1/notifications/preview`

use axum::Json;
use axum::extract::State;
use outrigger_domain::notifications::{Preview, PreviewInput};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.preview", "See a message as a user would")
        .describe("Nothing is sent. Variables that are not given have examples.")
        .access(Access::Admin)
        .body::<PreviewInput>()
        .answers::<Preview>(200, "the message in the words of the language")
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Body(input): Body<PreviewInput>,
) -> HttpResult<Json<Preview>> {
    Ok(Json(app.services.notifications.preview(&ctx, input)?))
}
