//! `outrigger migrate plan|apply`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ArgMatches;
use outrigger_ports::store::MigrateMode;

use super::say;
use crate::compose::Backends;
use crate::config::Config;
use crate::lifecycle::runtime;

/// The exit code of a plan that has something to do.
const SOMETHING_TO_DO: u8 = 3;

pub(super) fn run(config: &Config, matches: &ArgMatches) -> Result<ExitCode> {
    let mode = match matches.subcommand() {
        Some(("apply", apply)) => MigrateMode::Apply {
            wait: Duration::from_secs(apply.get_one::<u64>("wait").copied().unwrap_or(60)),
        },
        _ => MigrateMode::Plan,
    };
    runtime()?.block_on(async {
        let ports = Backends::open(config)?.connect().await?.ports;
        let migrations = ports.store.migrate(mode).await.context("database.url")?;
        for migration in &migrations {
            say(&format!(
                "{}  {}",
                if migration.applied { "applied" } else { "missing" },
                migration.name
            ));
        }
        let missing = migrations.iter().filter(|migration| !migration.applied).count();
        say(&format!("{} migrations, {missing} missing", migrations.len()));
        Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING_TO_DO) })
    })
}
