//! `POST /api/v1/files/uploads/{id}/complete`

use axum::Json;
use axum::extract::{Path, State};
use outrigger_domain::files::FileView;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("files.complete_upload", "End an upload to the object storage")
        .describe(
            "Makes a file of what was uploaded, if its size and type may be. Once more gives the \
             same file.",
        )
        .access(Access::User)
        .answers::<FileView>(200, "the file")
        .problem(409)
        .problem(415)
        .problem(422)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Json<FileView>> {
    Ok(Json(app.services.files.complete(&ctx, &id).await?))
}
