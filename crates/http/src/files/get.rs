//! `GET /api/v1/files/{id}`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::files::FileView;

use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("files.get", "Describe a file")
        .describe("For whom the file's rule `read` names, its owner and administrators.")
        .access(Access::Rules)
        .answers::<FileView>(200, "what is known of the file")
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<FileView>> {
    Ok(Json(app.services.files.get(&ctx, &id).await?))
}
