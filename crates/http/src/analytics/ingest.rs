//! `POST /api/v1/analytics/events`

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use outrigger_domain::analytics::{NewEvents, Taken};

use crate::access::Anyone;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("analytics.ingest", "Send events")
        .describe(
            "Up to 500. An event counts once, however often it is sent: send all of a request again \
             that was not answered. Events that happened too long ago (`too_old`) or lie in the future \
             (`in_future`) are refused, and the others of the request with them. `analytics.ingest` of \
             the settings says who may send events.",
        )
        .access(Access::User)
        .header("Idempotency-Key", "makes a repeated request get the first answer, for 24 hours")
        .body::<NewEvents>()
        .answers::<Taken>(202, "how many were taken, and how many are known already")
        .problem(409)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    headers: HeaderMap,
    Body(new): Body<NewEvents>,
) -> HttpResult<(StatusCode, Json<Taken>)> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    let taken = app.services.analytics.ingest(&ctx, new, key).await?;
    Ok((StatusCode::ACCEPTED, Json(taken)))
}
