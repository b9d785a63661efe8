//! `POST /api/v1/schedules/{name}/run`

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use outrigger_domain::tasks::TaskView;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::records::view::{json, value};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("schedules.run", "Run a schedule's task now")
        .describe("Beside its ticks, which stay as they are; also when it is not enabled.")
        .access(Access::Admin)
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .answers::<TaskView>(202, "the task; Location names it")
        .problem(409)
        .problem(422)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> HttpResult<Response> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    let (id, text) = app.services.schedules.run(&ctx, &name, key).await?;
    let mut response = json(StatusCode::ACCEPTED, Bytes::from(text));
    response.headers_mut().insert(LOCATION, value(format!("/api/v1/tasks/{id}"))?);
    Ok(response)
}
