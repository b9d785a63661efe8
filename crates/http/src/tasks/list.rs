//! `GET /api/v1/tasks`

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use outrigger_domain::records::parse_limit;
use outrigger_domain::tasks::{TaskPage, TaskQuery};
use outrigger_kernel::{Error, PageRequest, limits};
use serde_json::json;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::parameters;
use crate::problem::{HttpResult, Problem};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    let word = || json!({"type": "string"});
    let statuses = ["scheduled", "queued", "running", "succeeded", "failed", "cancelled", "dead"];
    Doc::new("tasks.list", "List tasks")
        .describe(
            "The newest come first. Finished tasks are listed as long as they are kept. One request \
             looks at some 2,000 tasks: when few of them fit the filter, a page has fewer items than \
             `limit`, or none, and a `next_cursor` all the same.",
        )
        .access(Access::Admin)
        .paged()
        .query("status", json!({"type": "string", "enum": statuses}), "only with this status")
        .query("kind", word(), "only of this kind")
        .query("queue", word(), "only of this queue")
        .answers::<TaskPage>(200, "a page of tasks")
        .problem(422)
}

/// The parameters of the list.
pub(crate) struct Listing(TaskQuery, PageRequest);

impl FromRequestParts<App> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut query = TaskQuery::default();
        let mut page = PageRequest { limit: limits::PAGE_DEFAULT, cursor: None };
        for (name, value) in parameters(parts.uri.query())? {
            match name.as_ref() {
                "limit" => page.limit = parse_limit(&value)?,
                "cursor" => page.cursor = Some(value.into_owned()),
                "status" => query.status = Some(value.into_owned()),
                "kind" => query.kind = Some(value.into_owned()),
                "queue" => query.queue = Some(value.into_owned()),
                other => {
                    return Err(Problem(Error::invalid(
                        &["query", other],
                        "unknown_parameter",
                        "this list takes status, kind, queue, limit and cursor",
                    )));
                }
            }
        }
        Ok(Self(query, page))
    }
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Listing(query, page): Listing,
) -> HttpResult<Json<TaskPage>> {
    Ok(Json(app.services.tasks.list(&ctx, &query, &page).await?))
}
