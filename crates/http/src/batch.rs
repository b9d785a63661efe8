//! `POST /api/v1/batch`

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use outrigger_domain::records::{BatchInput, BatchResult};

use crate::access::Anyone;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("records.batch", "Write several records, all or none")
        .describe(
            "Each operation needs what the rules of its collection ask for. Tasks are enqueued when the \
             operations happen, and only then; for administrators.",
        )
        .access(Access::Rules)
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body::<BatchInput>()
        .answers::<BatchResult>(200, "what became of each operation")
        .problem(404)
        .problem(409)
        .problem(412)
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    headers: HeaderMap,
    Body(input): Body<BatchInput>,
) -> HttpResult<Json<BatchResult>> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    Ok(Json(app.services.records.batch(&ctx, &input, key).await?))
}
