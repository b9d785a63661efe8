//! `outrigger openapi`: the API document of this binary, without collections.

use std::process::ExitCode;

use anyhow::Result;
use outrigger_http::Operation;

use super::say;
use crate::config::Config;

pub(super) fn run(config: &Config, operations: Vec<Operation>) -> Result<ExitCode> {
    let settings = outrigger_http::Settings {
        public_url: config.public_url(),
        services: config.http.services.clone(),
        ..outrigger_http::Settings::default()
    };
    let all = outrigger_http::routes::exposed(&settings, operations);
    let document = outrigger_http::openapi::document(&all, &settings, &[]);
    say(&serde_json::to_string_pretty(&document)?);
    Ok(ExitCode::SUCCESS)
}
