//! `outrigger config show`

use std::process::ExitCode;

use anyhow::Result;

use super::say;
use crate::config::Loaded;

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn run(loaded: &Loaded) -> Result<ExitCode> {
    say(&loaded.shown);
    Ok(ExitCode::SUCCESS)
}
