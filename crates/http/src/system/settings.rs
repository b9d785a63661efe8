//! `GET /api/v1/system/settings`

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

/// The settings of the process that answers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SettingsBody {
    /// What is in force, as TOML; secrets are `***`.
    in_force: String,
    /// What is so unless it is set, as TOML with comments: the manual of the settings.
    defaults: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("system.settings", "Read the settings, without secrets")
        .describe("Of the process that answers; `outrigger config show` says the same.")
        .access(Access::Admin)
        .answers::<SettingsBody>(200, "the settings")
}

pub(crate) async fn handle(
    Administrator(_): Administrator,
    State(app): State<App>,
) -> HttpResult<Json<SettingsBody>> {
    let (in_force, defaults) = (app.inspector.settings(), app.inspector.defaults());
    Ok(Json(SettingsBody { in_force: in_force.to_owned(), defaults: defaults.to_owned() }))
}
