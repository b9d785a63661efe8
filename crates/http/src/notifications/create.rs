//! `POST /api/v1/notifications`

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use outrigger_domain::notifications::{NewNotification, Receipt};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("notifications.create", "Tell a user something")
        .describe("By mail, in the inbox and to the user's webhook, as the user wants it.")
        .access(Access::Admin)
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body::<NewNotification>()
        .answers::<Receipt>(202, "on which channels the user is told")
        .problem(404)
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    headers: HeaderMap,
    Body(new): Body<NewNotification>,
) -> HttpResult<(StatusCode, Json<Receipt>)> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    app.services.accounts.get(&ctx, &new.user_id).await?;
    let receipt = app.services.notifications.notify(&ctx, new, key).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}
