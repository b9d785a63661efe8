//! `outrigger migrate plan|apply`

use std::time::Duration;

use anyhow::{Context, Result};
use clap::ArgMatches;
use outrigger_ports::store::MigrateMode;

use super::desk::{Desk, Told};

/// The exit code of a plan that has something to do.
const SOMETHING_TO_DO: u8 = 3;

pub(super) async fn run(desk: &Desk<'_>, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let mode = match matches.subcommand() {
        Some(("apply", apply)) => MigrateMode::Apply {
            wait: Duration::from_secs(apply.get_one::<u64>("wait").copied().unwrap_or(60)),
        },
        _ => MigrateMode::Plan,
    };
    let store = desk.store().await?;
    let migrations = store.migrate(mode).await.context("database.url")?;
    for migration in &migrations {
        let state = if migration.applied { "applied" } else { "missing" };
        told.say(&format!("{state}  {}", migration.name));
    }
    let missing = migrations.iter().filter(|migration| !migration.applied).count();
    told.say(&format!("{} migrations, {missing} missing", migrations.len()));
    if missing > 0 {
        told.exit_with(SOMETHING_TO_DO);
    }
    Ok(())
}
