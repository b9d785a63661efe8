//! `POST /api/v1/tasks`

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use outrigger_domain::tasks::{TaskInput, TaskView};

use crate::access::Administrator;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::records::view::{json, value};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.create", "Enqueue a task")
        .describe(
            "`x-outrigger-task-kinds` in this document lists the kinds with the schemas of their \
             payloads. A task acts with the rights of Outrigger itself.",
        )
        .access(Access::Admin)
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body::<TaskInput>()
        .answers::<TaskView>(202, "the task; Location names it")
        .problem(409)
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    headers: HeaderMap,
    Body(input): Body<TaskInput>,
) -> HttpResult<Response> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    let (id, text) = app.services.tasks.enqueue(&ctx, input, key).await?;
    let mut response = json(StatusCode::ACCEPTED, Bytes::from(text));
    response.headers_mut().insert(LOCATION, value(format!("/api/v1/tasks/{id}"))?);
    Ok(response)
}
