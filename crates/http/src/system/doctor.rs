//! `POST /api/v1/system/doctor`

use axum::Json;
use axum::extract::State;

use crate::access::Administrator;
use crate::inspector::Examination;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("system.doctor", "Check every backend and the settings")
        .describe(
            "Asks each backend for real, with connections of its own, and looks at the settings; as \
             `outrigger doctor`. What is down is in the answer.",
        )
        .access(Access::Admin)
        .answers::<Examination>(200, "what was found")
}

pub(crate) async fn handle(
    Administrator(_): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<Examination>> {
    Ok(Json(app.inspector.examine().await))
}
