//! `POST /api/v1/files`

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use outrigger_domain::files::{FileView, NewFile};
use outrigger_domain::records::Rule;
use outrigger_kernel::{Error, Result};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::body::Pieces;
use super::multipart;
use crate::access::Anyone;
use crate::operation::{Access, Doc};
use crate::page::parameters;
use crate::problem::HttpResult;
use crate::records::create::IDEMPOTENCY_KEY;
use crate::records::header;
use crate::records::view::value;
use crate::state::App;

/// The form.
#[derive(JsonSchema)]
#[schemars(rename = "FileForm")]
#[expect(dead_code, reason = "describes the form for the API document")]
pub(crate) struct FormView {
    /// Who may read the file besides its owner and administrators; stands before the file.
    #[schemars(default)]
    read: Option<Rule>,
    /// The file.
    #[schemars(with = "String", extend("format" = "binary"))]
    file: Vec<u8>,
}

pub(crate) fn doc() -> Doc {
    let text = || json!({"type": "string"});
    Doc::new("files.create", "Upload a file")
        .describe(
            "A form with the field `file`; or, with any other Content-Type, the file itself as the \
             body, with its name in the query. What the file is, its bytes say. A body of any size up \
             to the limit is taken piece by piece.",
        )
        .access(Access::User)
        .query("name", text(), "what the file is called, unless the form says")
        .query("read", rule_schema(), "who may read it besides its owner and administrators")
        .header("Idempotency-Key", "makes a repeated request take effect once, for 24 hours")
        .body_as::<FormView>("multipart/form-data")
        .answers::<FileView>(201, "the file; Location names it")
        .problem(408)
        .problem(409)
}

fn rule_schema() -> Value {
    schemars::schema_for!(Rule).to_value()["pattern"]
        .as_str()
        .map_or(Value::Null, |pattern| json!({"type": "string", "pattern": pattern}))
}

pub(crate) async fn handle(
    Anyone(ctx): Anyone,
    State(app): State<App>,
    request: Request,
) -> HttpResult<Response> {
    let (parts, body) = request.into_parts();
    let mut asked = NewFile::default();
    for (name, given) in parameters(parts.uri.query())? {
        match name.as_ref() {
            "name" => asked.name = Some(given.into_owned()),
            "read" => asked.read = Some(read_rule("query", &given)?),
            other => {
                let message = "an upload takes name and read";
                return Err(Error::invalid(&["query", other], "unknown_parameter", message).into());
            }
        }
    }
    let key = header(&parts.headers, &IDEMPOTENCY_KEY)?;
    let content_type = header(&parts.headers, &CONTENT_TYPE)?;
    let form = content_type.filter(|given| is_form(given));
    let files = &app.services.files;
    let announced = if form.is_some() { None } else { announced(&parts.headers) };
    files.check_upload(&ctx, announced, key)?;
    let _place = app.transfers.upload(&ctx)?;
    let pieces = Pieces::of(body, &parts.extensions, app.transfers.pace());
    let file = match form {
        None => {
            asked.media_type = content_type.map(ToOwned::to_owned);
            files.upload(&ctx, asked, key, pieces).await?
        }
        Some(content_type) => {
            let (new, form) = multipart::open(content_type, pieces).await?;
            let new = NewFile {
                name: new.name.or(asked.name),
                read: new.read.or(asked.read),
                media_type: new.media_type,
            };
            files.upload(&ctx, new, key, form.pieces()).await?
        }
    };
    Ok(created(file)?)
}

fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data")
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The rule of this text.
///
/// # Errors
/// `invalid` at its place.
pub(super) fn read_rule(place: &str, text: &str) -> Result<Rule> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_| {
        let message = "a rule is public, user, owner, role:NAME or admin";
        Error::invalid(&[place, "read"], "invalid_rule", message)
    })
}

/// The answer that a file was made.
fn created(file: FileView) -> Result<Response> {
    let location = value(format!("/api/v1/files/{}", file.id))?;
    let mut response = (StatusCode::CREATED, Json(file)).into_response();
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
