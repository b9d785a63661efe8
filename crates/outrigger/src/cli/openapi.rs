//! `outrigger openapi`: the API document of this binary, without collections.

use std::process::ExitCode;

use anyhow::{Context, Result};

use super::say;
use crate::Additions;
use crate::compose::registry;
use crate::config::Config;

pub(super) fn run(config: &Config, additions: &Additions) -> Result<ExitCode> {
    let settings = outrigger_http::Settings {
        public_url: config.public_url(),
        services: config.http.services.clone(),
        ..outrigger_http::Settings::default()
    };
    let all = outrigger_http::routes::exposed(&settings, additions.operations.clone());
    let kinds: Vec<_> = registry(additions)?
        .kinds(&config.tasks.external_kinds)
        .context("tasks.external_kinds")?
        .all()
        .map(|kind| kind.view())
        .collect();
    let document = outrigger_http::openapi::document(&all, &settings, &[], &kinds);
    say(&serde_json::to_string_pretty(&document)?);
    Ok(ExitCode::SUCCESS)
}
