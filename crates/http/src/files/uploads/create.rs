//! `POST /api/v1/files/uploads`

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use outrigger_domain::files::{NewUpload, UploadView};

use crate::access::SignedIn;
use crate::body::Body;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::state::App;

pub(crate) fn doc() -> Doc {
    Doc::new("files.sign_upload", "Begin an upload to the object storage")
        .describe(
            "Where files are kept in object storage: answers with a request that the client sends \
             there itself, once, with the file as its body. `complete` then makes the file. Nothing \
             is there, and nothing stays, until then.",
        )
        .access(Access::User)
        .header("Idempotency-Key", "makes a repeated request take effect once, as long as it can be sent")
        .body::<NewUpload>()
        .answers::<UploadView>(201, "the request to send")
        .problem(409)
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    headers: HeaderMap,
    Body(new): Body<NewUpload>,
) -> HttpResult<(StatusCode, Json<UploadView>)> {
    let key = header(&headers, &IDEMPOTENCY_KEY)?;
    Ok((StatusCode::CREATED, Json(app.services.files.sign(&ctx, new, key).await?)))
}
